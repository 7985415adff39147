import { expect, test } from 'vitest'
import { atWallTime, deadline, manualClock, nowSeconds, sleep, systemClock } from '../../../src/base/clock.ts'

const DAY = 86_400_000

/** A clock at 0, and what happened by it: `note` makes a callback that says when it was called. */
const it = test
  .extend('clock', () => manualClock(0))
  .extend('fired', (): string[] => [])
  .extend(
    'note',
    ({ clock, fired }) =>
      (name: string) =>
      () =>
        void fired.push(`${name}@${clock.monotonic()}`),
  )

it('timers fire in the order of their time, at equal times of their making', async ({ clock, fired, note }) => {
  for (const [ms, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b1'],
    [20, 'b2'],
  ] as const)
    clock.after(ms, note(name))
  await clock.advance(25)
  expect(fired).toEqual(['a@10', 'b1@20', 'b2@20'])
  await clock.advance(5)
  expect(fired.at(-1)).toBe('c@30')
  expect([clock.now(), clock.monotonic()]).toEqual([30, 30])
})

it('a manual clock has a wall time that can be set, which no timer notices', async ({ clock, fired, note }) => {
  clock.after(100, note('timer'))
  clock.jump(DAY)
  expect([clock.now(), clock.monotonic()]).toEqual([DAY, 0])
  await clock.advance(99)
  expect(fired).toEqual([])
  clock.jump(-DAY)
  await clock.advance(1)
  expect(fired).toEqual(['timer@100'])
  expect([clock.now(), clock.monotonic()]).toEqual([100, 100])
})

it('a manual clock: repeats, and lets what a timer started finish before the next', async ({ clock, fired, note }) => {
  const timer = clock.every(10, () => queueMicrotask(note('tick')))
  await clock.advance(35)
  timer.cancel()
  await clock.advance(100)
  expect(fired).toEqual(['tick@10', 'tick@20', 'tick@30'])
})

it('a manual clock: fires in the same step what a timer sets within it', async ({ clock, fired, note }) => {
  clock.after(10, () => void clock.after(10, note('inner')))
  await clock.advance(100)
  expect(fired).toEqual(['inner@20'])
})

it('a manual clock: fires timers that are set by what was started just before', async ({ clock, fired, note }) => {
  void Promise.resolve()
    .then(() => sleep(clock, 10))
    .then(note('slept'))
  await clock.advance(100)
  expect(fired).toEqual(['slept@10'])
})

it('a manual clock: forgets what was cancelled or disposed', async ({ clock, fired, note }) => {
  clock.after(10, note('cancelled')).cancel()
  {
    using _timer = clock.every(10, note('disposed'))
  }
  await clock.advance(100)
  expect(fired).toEqual([])
})

it('a manual clock: tells whole seconds', () => {
  expect([1999, 2000].map((ms) => nowSeconds(manualClock(ms)))).toEqual([1, 2])
})

it('sleep: ends after its time, not before', async ({ clock, fired, note }) => {
  void sleep(clock, 100).then(note('slept'))
  await clock.advance(99)
  expect(fired).toEqual([])
  await clock.advance(1)
  expect(fired).toEqual(['slept@100'])
})

it('sleep: rejects with the reason of its signal, also when that came first', async ({ clock }) => {
  const controller = new AbortController()
  const sleeping = sleep(clock, 100, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
  await expect(sleep(clock, 100, { signal: controller.signal })).rejects.toThrow('enough')
})

const late = new Error('too late')

it('a deadline: aborts with its reason when the time is over', async ({ clock }) => {
  using limit = deadline(clock, 100, late)
  await clock.advance(99)
  expect(limit.signal.aborted).toBe(false)
  await clock.advance(1)
  expect(limit.signal.reason).toBe(late)
})

it('a deadline: follows an outer signal, also one that came first', ({ clock }) => {
  const outer = new AbortController()
  using limit = deadline(clock, 100, late, outer.signal)
  outer.abort(new Error('stop'))
  using after = deadline(clock, 100, late, outer.signal)
  for (const { signal } of [limit, after]) expect(signal.reason).toEqual(new Error('stop'))
})

it('a deadline: that was disposed does nothing any more', async ({ clock }) => {
  const outer = new AbortController()
  const limit = deadline(clock, 100, late, outer.signal)
  limit[Symbol.dispose]()
  await clock.advance(200)
  outer.abort()
  expect(limit.signal.aborted).toBe(false)
})

it("the system's clock runs, calls back, and can be cancelled", async ({ fired, note }) => {
  const clock = systemClock()
  const before = clock.monotonic()
  clock.after(1, note('cancelled')).cancel()
  await sleep(clock, 5)
  expect(clock.monotonic() - before).toBeGreaterThan(3)
  expect(fired).toEqual([])
})

it('a wall time is noticed soon after the clock was set to it, not before where it was set back', async ({ clock }) => {
  const fired: number[] = []
  atWallTime(clock, DAY, () => void fired.push(clock.monotonic()))
  await clock.advance(10_000)
  clock.jump(-DAY)
  await clock.advance(DAY)
  expect(fired).toEqual([])
  clock.jump(DAY)
  await clock.advance(5000)
  expect(fired).toEqual([expect.any(Number)])
  expect(fired[0]).toBeLessThanOrEqual(DAY + 15_000)
  // once
  await clock.advance(DAY)
  expect(fired).toHaveLength(1)
})

it('a wall time does not fire when it is cancelled, and fires at once where it is over', async ({
  clock,
  fired,
  note,
}) => {
  atWallTime(clock, 5000, note('cancelled')).cancel()
  atWallTime(clock, -1, note('over'))
  await clock.advance(1)
  expect(fired).toEqual([expect.stringMatching('over')])
  await clock.advance(10_000)
  expect(fired).toHaveLength(1)
})

it('a manual clock: a timer of the past or of now fires in the next step, and none fires twice', async ({
  clock,
  fired,
  note,
}) => {
  await clock.advance(100)
  clock.after(0, note('now'))
  const timer = clock.after(-5, note('past'))
  await clock.advance(0)
  timer.cancel()
  await clock.advance(10)
  expect(fired).toEqual(['past@100', 'now@100'])
})
