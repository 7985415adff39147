import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createStreamSlots } from '../../../../src/code/serve/stream-slots.ts'

const KIB = 1024
const INIT = { max: 2, maxPerPeer: 2, unusedMs: 10_000, minBytesPerSecond: 64 * KIB }

/** Does a stream that carries so many bytes, each so many seconds, keep its slot beside one that is fast? */
async function keepsSlot(bytes: number, everySeconds: number): Promise<boolean> {
  const clock = manualClock()
  const slots = createStreamSlots(clock, INIT)
  const left: string[] = []
  const slow = slots.take('slow', () => void left.push('slow'))
  const fast = slots.take('fast', () => void left.push('fast'))
  for (let second = 1; second <= 60; second++) {
    await clock.advance(1000)
    fast?.carried(1024 * KIB)
    if (second % everySeconds === 0) slow?.carried(bytes)
  }
  using _third = slots.take('third', () => {})
  expect(left).not.toContain('fast')
  return !left.includes('slow')
}

test('a stream pays for its slot with bytes: one small chunk now and then makes room', async () => {
  expect(await keepsSlot(512, 1)).toBe(false)
  expect(await keepsSlot(512, 9)).toBe(false)
  expect(await keepsSlot(32 * KIB, 1)).toBe(false)
})

test('one that carries 64 KiB a second stays, in chunks of any size; one whole chunk pays for ten seconds at most', async () => {
  expect(await keepsSlot(64 * KIB, 1)).toBe(true)
  expect(await keepsSlot(1024 * KIB, 9)).toBe(true)
  expect(await keepsSlot(64 * 1024 * KIB, 40)).toBe(false)
})

test('where a slot is free, however slow a stream is, it stays', async () => {
  const clock = manualClock()
  const slots = createStreamSlots(clock, { ...INIT, max: 3 })
  const left: unknown[] = []
  for (const peer of ['a', 'b']) slots.take(peer, (reason) => void left.push(reason))
  await clock.advance(60_000)
  expect(slots.take('c', () => {})).toBeDefined()
  expect(left).toEqual([])
})
