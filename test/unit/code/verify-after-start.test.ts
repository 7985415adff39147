import { truncate } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { verifyStoredCode } from '../../../src/code/verify-after-start.ts'
import { packFiles, testStore } from '../../fixtures/code/stores.ts'

async function stored() {
  const at = await testStore()
  const codes = []
  for (const content of ['a', 'b', 'c']) codes.push((await at.store.addTar(packFiles([{ path: 'x', content }]))).code)
  return { ...at, codes }
}

test('what the disk has lost leaves the store after a start, before anyone asks for it', async () => {
  const { store, codes, ...rest } = await stored()
  const [damaged, ...intact] = codes as [(typeof codes)[number]]
  await truncate(store.paths(damaged).tar, 100)
  const clock = manualClock()
  verifyStoredCode({ ...rest, clock, store }, { closing: new AbortController().signal })
  await expect.poll(() => clock.advance(1_000).then(() => store.has(damaged))).toBe(false)
  expect(intact.map(store.has)).toEqual([true, true])
})

test('a node that stops ends it', async () => {
  const { store, codes, ...rest } = await stored()
  const clock = manualClock()
  const closing = new AbortController()
  let read = 0
  const verify = async function* () {
    for await (const checked of store.verify()) {
      read++
      yield checked
    }
  }
  verifyStoredCode({ ...rest, clock, store: { verify } }, { closing: closing.signal })
  await expect.poll(() => clock.advance(1_000).then(() => read)).toBeGreaterThan(0)
  closing.abort()
  const before = read
  await clock.advance(60_000)
  expect(read).toBeLessThanOrEqual(before + 1)
  expect(codes).toHaveLength(3)
})
