import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CID } from '../../../protocols/encoding.ts'
import { decodeArchiveAnswer, encodeArchiveAnswer } from '../../../protocols/streams/archive.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { DiskFullError } from '../../../src/code/errors.ts'
import type { Code } from '../../../src/code/index.ts'
import { collect, MIB, noise, once, packFiles } from '../../fixtures/code/stores.ts'
import { slowRelay } from '../../fixtures/slow-relay.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { addressOf, createNetworks } from '../network/fixtures.ts'
import { changed, codePeer, type Wrap } from './peers.ts'

const all = createNetworks()
const CHUNKS = 20

const tarOf = (chunks: number) => collect(packFiles([{ path: 'a', content: noise(chunks * MIB - 3 * 512) }]))

/** A peer that fetches, and providers of one code that it is connected to, each with its own fault. */
async function providers(faults: readonly Wrap[], chunks = CHUNKS, dir?: string) {
  const tar = await tarOf(chunks)
  // no time passes for the one that fetches, however busy the machine is: nothing is slow
  const here = await codePeer(all, { clock: manualClock(), ...(dir !== undefined && { dir }) })
  const others = []
  let code: CID | undefined
  for (const wrap of faults) {
    const other = await codePeer(all, { wrap })
    code = (await other.code.addTar(once(tar))).code
    others.push({ ...other, id: await here.network.dial(addressOf(other.made)) })
  }
  return { here, others, code: code as CID, tar, peers: others.map(({ id }) => id) }
}

const isWhole = async (code: Code, id: CID, tar: Uint8Array) =>
  Buffer.compare(await readFile(code.store.paths(id).tar), tar) === 0

const honest: Wrap = (stream) => stream
/** Does something else with each frame that holds a chunk. */
const atChunks =
  (write: (frame: Uint8Array, send: (frame: Uint8Array) => Promise<void>, abort: () => void) => Promise<void>): Wrap =>
  (stream) =>
    changed(stream, {
      write: (frame, options) =>
        frame.byteLength < MIB / 2
          ? stream.write(frame, options)
          : write(
              frame,
              (other) => stream.write(other, options),
              () => stream.abort(new Error('a fault')),
            ),
    })

describe('a provider that fails, over libp2p', () => {
  test.each([10, 50, 90])(
    'killed at %i percent: the other brings the rest, and what was under way once more',
    async (percent) => {
      const { here, others, code, tar, peers } = await providers([honest, honest])
      const [doomed, other] = others
      let killed: Promise<void> | undefined
      const onProgress = ({ bytes, size }: { bytes: number; size: number }) => {
        if (bytes >= (size * percent) / 100) killed ??= Promise.resolve(doomed?.network[Symbol.asyncDispose]())
      }
      await here.code.fetch(code, { peers, onProgress })
      await killed
      expect(await isWhole(here.code, code, tar)).toBe(true)
      expect(here.invalid).toEqual([])
      const times = new Map<number, number>()
      for (const index of [...(doomed?.asked ?? []), ...(other?.asked ?? [])])
        times.set(index, (times.get(index) ?? 0) + 1)
      const again = [...times.values()].filter((count) => count > 1)
      expect(Math.max(...times.values())).toBeLessThanOrEqual(2)
      expect(again.length).toBeLessThanOrEqual(3)
    },
  )

  test.each<[string, Wrap, boolean]>([
    [
      'a wrong chunk',
      atChunks(async (frame, send) => send(Uint8Array.from(frame).fill(frame[999] === 1 ? 2 : 1, 999, 1000))),
      true,
    ],
    [
      'a wrong manifest',
      (stream) =>
        changed(stream, {
          async write(frame, options) {
            const answer = decodeArchiveAnswer(frame)
            const isManifest = answer.is === 'bytes' && answer.bytes.byteLength < 10_000
            const wrong = encodeArchiveAnswer({ is: 'bytes', bytes: Buffer.from('a0', 'hex') })
            await stream.write(isManifest ? wrong : frame, options)
          },
        }),
      true,
    ],
    [
      'a stream that is cut in the middle of a chunk',
      atChunks(async (frame, send, abort) => {
        void send(frame).catch(() => {})
        abort()
      }),
      false,
    ],
    ['a stream that ends after a chunk', atChunks(async (frame, send, abort) => send(frame).then(abort)), false],
  ])('%s: the right bytes come from another', async (_, fault, isInvalid) => {
    const { here, code, tar, peers } = await providers([fault, honest], 6)
    const [bad = '', good = ''] = peers
    const alone = new AbortController()
    const failing = here.code.fetch(code, { peers: [bad], signal: alone.signal })
    failing.catch(() => {})
    await expect.poll(() => here.seen.some(([name]) => name === 'code:fetch-failed')).toBe(true)
    alone.abort(new Error('enough'))
    await expect(failing).rejects.toThrow('enough')
    expect(here.invalid).toEqual(isInvalid ? [bad] : [])
    await here.code.fetch(code, { peers: [bad, good] })
    expect(await isWhole(here.code, code, tar)).toBe(true)
  })

  test('500 ms away, where one segment in a hundred is lost: the right bytes, before the deadline', async () => {
    const tar = await tarOf(2)
    const [there, here] = [await codePeer(all), await codePeer(all)]
    const { code } = await there.code.addTar(once(tar))
    const [, port = ''] = /\/tcp\/(\d+)/.exec(addressOf(there.made)) ?? []
    await using relay = await slowRelay(Number(port), { delayMs: 250, lossPercent: 1 })
    const peer = await here.network.dial(addressOf(there.made).replace(`/tcp/${port}`, `/tcp/${relay.port}`))
    await here.code.fetch(code, { peers: [peer], patienceMs: 90_000 })
    expect(await isWhole(here.code, code, tar)).toBe(true)
    expect(relay.lost).toBeGreaterThan(0)
  })
})

describe.skipIf(process.getuid?.() !== 0)('a disk that is full in the middle of a fetch', () => {
  test('ends it with one clear error, keeps nothing, and the fetch succeeds when there is space', async () => {
    const dir = await tempDir()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir])
    try {
      const { here, code, tar, peers } = await providers([honest, honest], CHUNKS, dir)
      const full = here.code.fetch(code, { peers, patienceMs: 60_000 })
      await expect(full).rejects.toBeInstanceOf(DiskFullError)
      await expect(full).rejects.toThrow(`the disk of ${join(dir, 'partial')}`)
      expect(here.code.store.usage()).toMatchObject({ bytes: 0, codes: 0 })
      for (const folder of ['codes', 'partial', 'temp']) expect(await readdir(join(dir, folder))).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=64m', dir])
      await here.code.fetch(code, { peers })
      expect(await isWhole(here.code, code, tar)).toBe(true)
    } finally {
      execFileSync('umount', ['-l', dir])
    }
  })
})
