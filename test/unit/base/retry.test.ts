import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { InputError, isRetryable, TimeoutError, UnavailableError } from '../../../src/base/errors.ts'
import { backoffMs, retry } from '../../../src/base/retry.ts'
import { seededRng, systemRng } from '../../../src/base/rng.ts'

const backoff = { firstMs: 100, maxMs: 1000 }

it('the wait between attempts: doubles up to its bound, with jitter in the upper half', () => {
  const rng = seededRng('backoff')
  for (const [attempt, full] of [
    [0, 100],
    [1, 200],
    [3, 800],
    [4, 1000],
    [1000, 1000],
  ] as const) {
    for (let draw = 0; draw < 50; draw++) {
      const wait = backoffMs(attempt, backoff, rng)
      expect(wait).toBeGreaterThanOrEqual(full / 2)
      expect(wait).toBeLessThanOrEqual(full)
    }
  }
})

const attempt = (errors: Error[], attempts = 5, signal?: AbortSignal) => {
  const clock = manualClock(0)
  const at: number[] = []
  const work = async (number: number) => {
    at.push(clock.now())
    const error = errors[number]
    if (error) throw error
    return `attempt ${number}`
  }
  const result = retry(work, { clock, rng: seededRng('retry'), backoff, attempts, signal })
  result.catch(() => {})
  return { clock, at, result }
}

it('retry: goes on until it succeeds', async () => {
  const { clock, at, result } = attempt([new Error('1'), new UnavailableError('2')])
  await clock.advance(10_000)
  expect(await result).toBe('attempt 2')
  expect(at).toHaveLength(3)
  expect((at[1] as number) - (at[0] as number)).toBeLessThanOrEqual(100)
  expect((at[2] as number) - (at[1] as number)).toBeGreaterThanOrEqual(100)
})

it('retry: ends with the last error when its attempts are spent', async () => {
  const { clock, at, result } = attempt([new Error('1'), new Error('2'), new Error('3')], 2)
  await clock.advance(10_000)
  await expect(result).rejects.toThrow('2')
  expect(at).toHaveLength(2)
})

it('retry: reports each failure that is followed by another attempt, of those that its caller lets it retry', async () => {
  const clock = manualClock(0)
  const reported: unknown[] = []
  const errors = [new InputError('1'), new InputError('2'), new TimeoutError('last')]
  const result = retry(async (number) => Promise.reject(errors[number]), {
    clock,
    rng: seededRng('retry'),
    backoff,
    canRetry: (error) => error instanceof InputError,
    onRetry: (error) => void reported.push(error),
  })
  const failed = expect(result).rejects.toBe(errors[2])
  await clock.advance(10_000)
  await failed
  expect(reported).toEqual(errors.slice(0, 2))
})

it('retry: asks the error whether it makes sense', async () => {
  const { at, result } = attempt([new InputError('wrong for ever')])
  await expect(result).rejects.toThrow('wrong for ever')
  expect(at).toHaveLength(1)
  expect(isRetryable(new TimeoutError('x'))).toBe(true)
  expect(isRetryable(new Error('who knows'))).toBe(true)
  expect(isRetryable('text')).toBe(true)
})

it('retry: ends with its signal, while it waits and before it begins', async () => {
  const controller = new AbortController()
  const { at, result, clock } = attempt([new Error('1')], 5, controller.signal)
  await clock.advance(1)
  controller.abort(new Error('stop'))
  await expect(result).rejects.toThrow('stop')
  expect(at).toHaveLength(1)
  await expect(attempt([], 5, controller.signal).result).rejects.toThrow('stop')
})

it('chance from a seed: is the same for the same seed, on every machine', () => {
  const draw = (seed: string) => {
    const rng = seededRng(seed)
    return [Buffer.from(rng.bytes(8)).toString('hex'), rng.int(1000), rng.uuid(), rng.fraction()]
  }
  expect(draw('a')).toEqual(draw('a'))
  expect(draw('a')).not.toEqual(draw('b'))
  expect(draw('a').slice(0, 3)).toMatchInlineSnapshot(`
    [
      "d7e98967056f4828",
      465,
      "008ab504-4997-b38f-1d0c-ac9e7fb08d89",
    ]
  `)
})

it('chance from a seed: does not depend on how many bytes are asked for at once', () => {
  expect(seededRng('a').bytes(100)).toHaveLength(100)
  expect(seededRng('a').bytes(0)).toHaveLength(0)
  expect(seededRng('a').bytes(40).slice(0, 32)).toEqual(seededRng('a').bytes(32))
})

describe.each([
  ['seeded', seededRng('range')],
  ['system', systemRng()],
])('%s chance', (_name, rng) => {
  it('stays in its range and reaches all of it', () => {
    const seen = new Set<number>()
    for (let draw = 0; draw < 2000; draw++) {
      seen.add(rng.int(7))
      const fraction = rng.fraction()
      expect(fraction >= 0 && fraction < 1).toBe(true)
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('gives names that differ', () => {
    const names = new Set(Array.from({ length: 100 }, () => rng.uuid()))
    expect(names.size).toBe(100)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    expect(rng.bytes(16)).toHaveLength(16)
  })
})
