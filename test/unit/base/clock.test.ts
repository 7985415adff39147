import { describe, expect, it } from 'vitest'
import { atWallTime, deadline, manualClock, nowSeconds, sleep, systemClock } from '../../../src/base/clock.ts'

describe('a manual clock', () => {
  it('fires timers in the order of their time, and of their making where times are equal', async () => {
    const clock = manualClock(0)
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
    clock.after(30, note('c'))
    clock.after(10, note('a'))
    clock.after(20, note('b1'))
    clock.after(20, note('b2'))
    await clock.advance(25)
    expect(fired).toEqual(['a@10', 'b1@20', 'b2@20'])
    await clock.advance(5)
    expect(fired.at(-1)).toBe('c@30')
    expect(clock.now()).toBe(30)
    expect(clock.monotonic()).toBe(30)
  })

  it('has a wall clock that can be set, which no timer and no duration notices', async () => {
    const clock = manualClock(1000)
    let fired = false
    clock.after(100, () => {
      fired = true
    })
    clock.jump(86_400_000)
    expect([clock.now(), clock.monotonic()]).toEqual([86_401_000, 0])
    await clock.advance(99)
    expect(fired).toBe(false)
    clock.jump(-86_400_000)
    await clock.advance(1)
    expect([fired, clock.now(), clock.monotonic()]).toEqual([true, 1100, 100])
  })

  it('repeats, and lets what a timer started finish before the next', async () => {
    const clock = manualClock(0)
    const seen: number[] = []
    const timer = clock.every(10, () => {
      queueMicrotask(() => void seen.push(clock.now()))
    })
    await clock.advance(35)
    timer.cancel()
    await clock.advance(100)
    expect(seen).toEqual([10, 20, 30])
  })

  it('fires in the same step what a timer sets within it', async () => {
    const clock = manualClock(0)
    let at = 0
    clock.after(10, () => {
      clock.after(10, () => {
        at = clock.now()
      })
    })
    await clock.advance(100)
    expect(at).toBe(20)
  })

  it('hears of timers that are set by what was started just before', async () => {
    const clock = manualClock(0)
    let at = 0
    void Promise.resolve()
      .then(() => sleep(clock, 10))
      .then(() => {
        at = clock.now()
      })
    await clock.advance(100)
    expect(at).toBe(10)
  })

  it('forgets what was cancelled or disposed', async () => {
    const clock = manualClock(0)
    let fired = 0
    clock.after(10, () => fired++).cancel()
    {
      using _timer = clock.every(10, () => fired++)
    }
    await clock.advance(100)
    expect(fired).toBe(0)
  })

  it('tells whole seconds', () => {
    expect(nowSeconds(manualClock(1999))).toBe(1)
  })
})

describe('sleep', () => {
  it('ends after its time, not before', async () => {
    const clock = manualClock()
    let done = false
    void sleep(clock, 100).then(() => {
      done = true
    })
    await clock.advance(99)
    expect(done).toBe(false)
    await clock.advance(1)
    expect(done).toBe(true)
  })

  it('rejects with the reason of its signal, also when that came first', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const sleeping = sleep(clock, 100, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(sleep(clock, 100, { signal: controller.signal })).rejects.toThrow('enough')
  })
})

describe('a deadline', () => {
  it('aborts with its reason when the time is over', async () => {
    const clock = manualClock()
    using limit = deadline(clock, 100, new Error('too late'))
    await clock.advance(99)
    expect(limit.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(limit.signal.reason).toEqual(new Error('too late'))
  })

  it('follows an outer signal', () => {
    const outer = new AbortController()
    using limit = deadline(manualClock(), 100, new Error('too late'), outer.signal)
    outer.abort(new Error('stop'))
    expect(limit.signal.reason).toEqual(new Error('stop'))
    using late = deadline(manualClock(), 100, new Error('too late'), outer.signal)
    expect(late.signal.reason).toEqual(new Error('stop'))
  })

  it('that was disposed does nothing any more', async () => {
    const clock = manualClock()
    const outer = new AbortController()
    const limit = deadline(clock, 100, new Error('too late'), outer.signal)
    limit[Symbol.dispose]()
    await clock.advance(200)
    outer.abort()
    expect(limit.signal.aborted).toBe(false)
  })
})

describe("the system's clock", () => {
  it('runs, calls back, and can be cancelled', async () => {
    const clock = systemClock()
    const before = clock.monotonic()
    let cancelled = false
    clock
      .after(1, () => {
        cancelled = true
      })
      .cancel()
    await sleep(clock, 5)
    expect(clock.monotonic() - before).toBeGreaterThan(3)
    expect(cancelled).toBe(false)
  })
})

describe('a time of the wall clock', () => {
  const DAY = 86_400_000

  it('is noticed within seconds after the clock was set to it, and not before where it was set back', async () => {
    const clock = manualClock(0)
    const fired: number[] = []
    const note = () => void fired.push(clock.monotonic())
    atWallTime(clock, DAY, note)
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

  it('is not told of when it is cancelled, and at once where it is over', async () => {
    const clock = manualClock(0)
    const fired: string[] = []
    atWallTime(clock, 5000, () => void fired.push('cancelled')).cancel()
    atWallTime(clock, -1, () => void fired.push('over'))
    await clock.advance(1)
    expect(fired).toEqual(['over'])
    await clock.advance(10_000)
    expect(fired).toEqual(['over'])
  })
})
