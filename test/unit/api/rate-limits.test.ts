import { expect, test } from 'vitest'
import { serveApi } from '../../../src/api/index.ts'
import { createRateLimits, type RateLimits } from '../../../src/api/rate-limits.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { apiInMemory, TOKEN } from './harness.ts'

const INIT = { perSecond: 2, burst: 4, addresses: 8 }

function limited(change: Partial<typeof INIT> = {}) {
  const clock = manualClock()
  const rates = createRateLimits({ clock }, { ...INIT, ...change })
  /** How many of `count` requests are admitted. */
  const admitted = (address: string, count: number) =>
    Array.from({ length: count }, () => rates.take(address)).filter((seconds) => seconds === 0).length
  return { clock, rates, admitted }
}

test('an address may send a burst, and then so many a second', async () => {
  const { clock, rates, admitted } = limited()
  expect(admitted('192.0.2.1', 10)).toBe(4)
  expect(rates.take('192.0.2.1')).toBe(1)
  await clock.advance(500)
  expect(admitted('192.0.2.1', 10)).toBe(1)
  await clock.advance(3_600_000)
  expect(admitted('192.0.2.1', 10)).toBe(4)
})

test('what is refused does not put off the next one', async () => {
  const { clock, admitted } = limited()
  admitted('192.0.2.1', 4)
  let passed = 0
  for (let step = 0; step < 100; step++) {
    await clock.advance(10)
    passed += admitted('192.0.2.1', 5)
  }
  expect(passed).toBe(2)
})

test('says after how many seconds the next is admitted, and it is', async () => {
  const { clock, rates, admitted } = limited({ perSecond: 0.1, burst: 1 })
  admitted('192.0.2.1', 1)
  const seconds = rates.take('192.0.2.1')
  expect(seconds).toBe(10)
  await clock.advance(seconds * 1000)
  expect(rates.take('192.0.2.1')).toBe(0)
})

test('one address does not use up what another has; an IPv6 address counts with its /64', () => {
  const { admitted } = limited()
  expect(admitted('192.0.2.1', 9)).toBe(4)
  expect(admitted('::ffff:192.0.2.1', 9)).toBe(0)
  expect(admitted('192.0.2.2', 9)).toBe(4)
  expect(admitted('2001:db8::1', 3)).toBe(3)
  expect(admitted('2001:db8::ffff:1', 9)).toBe(1)
  expect(admitted('2001:db8:0:1::1', 9)).toBe(4)
})

test('addresses without end do not grow it: the one that asked longest ago begins again', () => {
  const { admitted } = limited({ addresses: 2 })
  expect(admitted('192.0.2.1', 9)).toBe(4)
  expect(admitted('192.0.2.2', 9)).toBe(4)
  expect(admitted('192.0.2.1', 9)).toBe(0)
  expect(admitted('192.0.2.3', 9)).toBe(4)
  expect(admitted('192.0.2.1', 9)).toBe(0)
  expect(admitted('192.0.2.2', 9)).toBe(4)
})

test('programs of this machine have no limit', () => {
  const { admitted } = limited()
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
    expect(admitted(address, 1000), address).toBe(1000)
  }
  expect(admitted('128.0.0.1', 9)).toBe(4)
})

test('behind a server: a flood of an address is refused with 429, and its holders of the token are not', async () => {
  using made = apiInMemory()
  let asked = 0
  const flooded: RateLimits = {
    take() {
      asked++
      return 7
    },
  }
  await using served = await serveApi(made.api, '127.0.0.1', 0, { rates: flooded })
  const answer = await fetch(`${served.url}/node`)
  expect(answer.status).toBe(429)
  expect(answer.headers.get('retry-after')).toBe('7')
  expect(await answer.json()).toMatchObject({ code: 'too-many', detail: expect.stringMatching(/requests a second/) })
  const wrong = await fetch(`${served.url}/peers`, { headers: { Authorization: `Bearer ${TOKEN}x` } })
  expect(wrong.status).toBe(429)
  expect(asked).toBe(2)
  const right = await fetch(`${served.url}/peers`, { headers: { Authorization: `Bearer ${TOKEN}` } })
  expect(right.status).toBe(200)
  expect(asked).toBe(2)
})
