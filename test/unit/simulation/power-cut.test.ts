import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { createCodeStore } from '../../../src/code/store/store.ts'
import { readLogs } from '../../../src/execution/logs/reader.ts'
import { createLogWriter } from '../../../src/execution/logs/writer.ts'
import { createMemoryDisk } from '../../../src/simulation/machine/memory-disk.ts'
import { collect, noise, packFiles, testComponents } from '../../fixtures/code/stores.ts'

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed)
const INIT = { dir: '/code', maxBytes: 64 * 1024 * 1024 }
const archives = await Promise.all(
  [1, 2, 3].map((seed) => collect(packFiles([{ path: 'file', content: noise(700_000 * seed, seed) }]))),
)

test('after a power cut a store serves no byte that is wrong, and takes in again what is lost', async () => {
  let [missing, damaged] = [0, 0]
  for (const seed of SEEDS) {
    const clock = manualClock()
    const before = createMemoryDisk({ clock })
    const components = { ...testComponents(), clock }
    const codes = []
    {
      await using store = await createCodeStore({ ...components, disk: before }, INIT)
      for (const tar of archives) codes.push((await store.addTar([tar] as never)).code)
    }
    const disk = before.afterPowerCut(seededRng(`${seed}`))

    await using store = await createCodeStore({ ...components, disk }, INIT)
    missing += archives.length - store.list().length
    for await (const { state } of store.verify()) if (state !== 'ok') damaged++
    for await (const { state } of store.verify()) expect(state).toBe('ok')
    for (const [index, tar] of archives.entries()) {
      const { code } = await store.addTar([tar] as never)
      expect(code.equals(codes[index])).toBe(true)
      await using reader = await store.open(code)
      const chunk = new Uint8Array(Math.min(tar.byteLength, 1024 * 1024))
      expect(await reader?.read(0, chunk)).toBe(true)
      expect(Buffer.from(chunk).equals(tar.subarray(0, chunk.byteLength))).toBe(true)
    }
  }
  expect(missing).toBeGreaterThan(0)
  expect(damaged).toBeGreaterThan(0)
})

test('after a power cut a log has a part of its lines, and can be written again', async () => {
  for (const seed of SEEDS) {
    const clock = manualClock()
    const before = createMemoryDisk({ clock })
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`)
    {
      await using writer = createLogWriter('/log', 'run', { maxBytes: 200, keep: 2 }, before)
      for (const line of lines) await writer.write(`1 o ${line}\n`)
    }
    const disk = before.afterPowerCut(seededRng(`${seed}`))
    await using writer = createLogWriter('/log', 'run', { maxBytes: 200, keep: 2 }, disk)
    await writer.write('2 o after\n')
    const options = { tail: 1000, follow: false, keep: 2, ended: () => true, clock, disk }
    const read = (await Array.fromAsync(readLogs('/log', options))).map(({ line }) => line)
    expect(read.at(-1)).toBe('after')
    const parts = read.slice(0, -1).map((line) => line.replace(/\0+$/, ''))
    for (const part of parts) expect(lines.some((whole) => whole.startsWith(part))).toBe(true)
  }
})
