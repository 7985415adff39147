import { expect, it } from 'vitest'
import { createTokenBucket } from '../../../src/base/token-bucket.ts'

it('a token bucket: gives its burst at once, and refills with time, never above the burst', () => {
  let now = 0
  const bucket = createTokenBucket({ burst: 3, perSecond: 2 }, () => now)
  expect([1, 1, 1, 1].map((count) => bucket.take(count))).toEqual([true, true, true, false])
  now += 500
  expect(bucket.take()).toBe(true)
  expect(bucket.take()).toBe(false)
  now += 1_000_000
  expect(bucket.take(4)).toBe(false)
  expect(bucket.take(3)).toBe(true)
})
