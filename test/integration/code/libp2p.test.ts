import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../protocols/encoding.ts'
import {
  ARCHIVE_PROTOCOL,
  type ArchiveManifest,
  decodeArchiveAnswer,
  encodeArchiveRequest,
} from '../../../protocols/streams/archive.ts'
import { MIB, noise, packFiles } from '../../fixtures/code/stores.ts'
import { addressOf, createNetworks } from '../network/fixtures.ts'
import { codePeer } from './peers.ts'

const all = createNetworks()

/** A peer that has archives, and one that is connected to it. */
async function twoPeers() {
  const [there, here] = [await codePeer(all), await codePeer(all)]
  return { there, here, id: await here.network.dial(addressOf(there.made)) }
}

describe('archives over libp2p', () => {
  test('many at once from one peer, through one connection, each whole', async () => {
    const { there, here, id } = await twoPeers()
    const codes = await Promise.all(
      [1, 2, 3].map((seed) => there.code.addTar(packFiles([{ path: 'a', content: noise(12 * MIB, seed) }]))),
    )
    await Promise.all(codes.map(({ code }) => here.code.fetch(code, { peers: [id] })))
    expect(codes.map(({ code }) => here.code.store.has(code))).toEqual([true, true, true])
    expect(here.invalid).toEqual([])
  })

  test('a client that reads slowly gets the right bytes, although the server fills its buffers again', async () => {
    const { there, here, id } = await twoPeers()
    const { code } = await there.code.addTar(packFiles([{ path: 'a', content: noise(15 * MIB) }]))
    const { chunks } = there.code.store.manifest(code) as ArchiveManifest
    const slow = async (pauseEvery: number) => {
      await using stream = await here.network.streams.open(id, ARCHIVE_PROTOCOL)
      const ask = (first: number) =>
        stream.write(encodeArchiveRequest({ v: 1, want: 'chunks', code, first, count: 15 - first, zstd: false }))
      await ask(0)
      for (let index = 0; index < 15; ) {
        // so that what was sent piles up on the way, in every buffer that there is
        for (let turn = 0; index % pauseEvery === 0 && turn < 500; turn++) await new Promise(setImmediate)
        const answer = decodeArchiveAnswer((await stream.read()) as Uint8Array)
        // the server had others to send to
        if (answer.is === 'error') await ask(index)
        else expect(Buffer.compare(sha256(answer.bytes), chunks[index++] as Uint8Array)).toBe(0)
      }
      await stream.end()
    }
    await Promise.all([1, 2, 3].map(slow))
  })

  test('a stream that the server turns away gets the reason', async () => {
    const { there, here, id } = await twoPeers()
    const { code } = await there.code.addTar(packFiles([{ path: 'a', content: 'x' }]))
    const ask = async () => {
      const stream = all.stack.use(await here.network.streams.open(id, ARCHIVE_PROTOCOL))
      await stream.write(encodeArchiveRequest({ v: 1, want: 'manifest', code }))
      return decodeArchiveAnswer((await stream.read()) as Uint8Array)
    }
    const kinds = []
    for (let count = 0; count < 5; count++) kinds.push((await ask()).is)
    expect(kinds).toEqual(['bytes', 'bytes', 'bytes', 'bytes', 'error'])
  })
})
