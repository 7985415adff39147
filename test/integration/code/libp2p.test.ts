import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import {
  ARCHIVE_PROTOCOL,
  type ArchiveManifest,
  decodeArchiveAnswer,
  encodeArchiveRequest,
} from '../../../protocols/archive.ts'
import { sha256 } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createCode } from '../../../src/code/index.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import { createNetwork } from '../../../src/network/index.ts'
import { MIB, noise, packFiles, testComponents } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
})

/** A network and a store on loopback, without discovery. */
async function peer() {
  const components = { ...testComponents(), rng: systemRng(), clock: systemClock() }
  const network = await createNetwork(
    { ...components, log: silentLog(), events: createEvents<NetworkEvents>() },
    {
      network: 'test',
      identity: generateKeyPairSync('ed25519').privateKey,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      visibility: 'private',
      dht: false,
      keepPeers: false,
    },
  )
  open.push(network)
  const lied: string[] = []
  const code = await createCode(
    {
      ...components,
      streams: network.streams,
      providers: { async *findProviders() {} },
      onInvalidData: (id) => void lied.push(id),
    },
    { dir: await tempDir(), maxBytes: 256 * MIB, self: network.peerId },
  )
  open.push(code)
  await network.streams.handle(ARCHIVE_PROTOCOL, code.serve)
  return { network, code, lied, ...components }
}

/** A peer that has archives, and one that is connected to it. */
async function twoPeers() {
  const [there, here] = [await peer(), await peer()]
  return { there, here, id: await here.network.dial(there.network.multiaddrs()[0] as string) }
}

describe('archives over libp2p', () => {
  test('many at once from one peer, through one connection, each whole', async () => {
    const { there, here, id } = await twoPeers()
    const codes = await Promise.all(
      [1, 2, 3].map((seed) => there.code.addTar(packFiles([{ path: 'a', content: noise(12 * MIB, seed) }]))),
    )
    await Promise.all(codes.map(({ code }) => here.code.fetch(code, { peers: [id] })))
    expect(codes.map(({ code }) => here.code.store.has(code))).toEqual([true, true, true])
    expect(here.lied).toEqual([])
  })

  test('a client that reads slowly gets the right bytes, although the server fills its buffers again', async () => {
    const { there, here, id } = await twoPeers()
    const { code } = await there.code.addTar(packFiles([{ path: 'a', content: noise(15 * MIB) }]))
    const { chunks } = there.code.store.manifest(code) as ArchiveManifest
    const slow = async (pauseEvery: number) => {
      await using stream = await here.network.streams.open(id, ARCHIVE_PROTOCOL)
      await stream.write(encodeArchiveRequest({ v: 1, want: 'chunks', code, first: 0, count: 15, zstd: false }))
      for (let index = 0; index < 15; index++) {
        // so that what was sent piles up on the way, in every buffer that there is
        for (let turn = 0; index % pauseEvery === 0 && turn < 500; turn++) await new Promise(setImmediate)
        const answer = decodeArchiveAnswer((await stream.read()) as Uint8Array)
        expect(answer.is === 'bytes' && Buffer.compare(sha256(answer.bytes), chunks[index] as Uint8Array)).toBe(0)
      }
      await stream.end()
    }
    await Promise.all([1, 2, 3].map(slow))
  })

  test('a stream that the server turns away is told why', async () => {
    const { there, here, id } = await twoPeers()
    const { code } = await there.code.addTar(packFiles([{ path: 'a', content: 'x' }]))
    const ask = async () => {
      const stream = await here.network.streams.open(id, ARCHIVE_PROTOCOL)
      open.push(stream)
      await stream.write(encodeArchiveRequest({ v: 1, want: 'manifest', code }))
      return decodeArchiveAnswer((await stream.read()) as Uint8Array)
    }
    const kinds = []
    for (let count = 0; count < 5; count++) kinds.push((await ask()).is)
    expect(kinds).toEqual(['bytes', 'bytes', 'bytes', 'bytes', 'error'])
  })
})
