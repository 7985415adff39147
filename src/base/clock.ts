import { createTimerQueue } from './timer-queue.ts'

/** Time, as the house sees it: the system's in a node, a made one in tests and simulations. Milliseconds unless named. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds that only grow; for durations. */
  monotonic(): number
  /** Calls back once after `ms`. Does not keep the process alive. */
  after(ms: number, callback: () => void): Timer
  /** Calls back again and again, `ms` after the last call. Does not keep the process alive. */
  every(ms: number, callback: () => void): Timer
  /** Resolves when all that is ready now has had its turn: what a socket has read, timers that are due. */
  nextTurn(): Promise<void>
}

export interface Timer extends Disposable {
  cancel(): void
}

/** Whole seconds since 1970, UTC: the wire's unit. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000)
}

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (ms, callback) => timerOf(setTimeout(callback, ms), clearTimeout),
    every: (ms, callback) => timerOf(setInterval(callback, ms), clearInterval),
    nextTurn,
  }
}

/** The system's, with a monotonic time that is the same in all processes of this machine. */
export function machineClock(): Clock {
  return { ...systemClock(), monotonic: () => Number(process.hrtime.bigint()) / 1e6 }
}

/** A time of the wall clock is noticed this late at most, also where that clock is set while it is waited for. */
const WALL_CLOCK_POLL_MS = 2_000

/** Calls back once when the wall clock says `timeMs` or later. Timers count on another clock, so it is looked at again and again. */
export function atWallTime(clock: Clock, timeMs: number, callback: () => void): Timer {
  const arm = () => {
    const left = Math.max(0, timeMs - clock.now())
    return clock.after(Math.min(left, WALL_CLOCK_POLL_MS), () => {
      if (clock.now() >= timeMs) callback()
      else timer = arm()
    })
  }
  let timer = arm()
  return disposable(() => timer.cancel())
}

/** Resolves after `ms`, or rejects with the signal's reason. */
export function sleep(clock: Clock, ms: number, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** A signal that aborts with `reason` after `ms`, or together with `outer`. Dispose it when the work is done. */
export function deadline(
  clock: Clock,
  ms: number,
  reason: Error,
  outer?: AbortSignal,
): { signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const timer = clock.after(ms, () => controller.abort(reason))
  const follow = () => controller.abort(outer?.reason)
  if (outer?.aborted) follow()
  outer?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel()
      outer?.removeEventListener('abort', follow)
    },
  }
}

/** A clock that stops until `advance` is called; timers fire in order, and what each starts goes on before the next. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>
  /** The wall clock is set, forward or (with less than 0) back; no time passes, and timers do not notice. */
  jump(ms: number): void
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let time = startMs
  /** of the wall clock, by which it was set */
  let jumped = 0
  const queue = createTimerQueue()
  const after = (ms: number, callback: () => void) => disposable(queue.add(time + ms, callback))
  return {
    now: () => time + jumped,
    monotonic: () => time - startMs,
    jump(ms) {
      jumped += ms
    },
    after,
    every(ms, callback) {
      let at = time
      let cancel: () => void
      const arm = () => {
        at += ms
        cancel = queue.add(at, () => {
          arm()
          callback()
        })
      }
      arm()
      return disposable(() => cancel())
    },
    nextTurn,
    async advance(ms) {
      // what was started just now sets its timers first, at the current time
      await nextTurn()
      const until = time + ms
      for (let due = queue.takeDue(until); due !== undefined; due = queue.takeDue(until)) {
        time = Math.max(time, due.at)
        due.callback()
        await nextTurn()
      }
      time = until
      await nextTurn()
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function disposable(cancel: () => void): Timer {
  return { cancel, [Symbol.dispose]: cancel }
}

function timerOf<T extends { unref?(): unknown }>(handle: T, clear: (handle: T) => void): Timer {
  handle.unref?.()
  return disposable(() => clear(handle))
}
