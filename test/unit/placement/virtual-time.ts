import { type Clock, manualClock, type Timer } from '../../../src/base/clock.ts'
import type { Rng } from '../../../src/base/rng.ts'

/** Stretches of time in which a program is busy, and of time between them, ms at most. `calm`: there are none for now. */
export type Lateness = { readonly rng: Rng; readonly busyMs: number; readonly freeMs: number; calm(): boolean }

/** A node's turns: what reaches it while it is busy, has its turn when it is free: timers first, then messages. */
export type Turns = { clock: Clock; next(): Promise<void> }

/** Time that passes as fast as the machine allows, for many nodes: what is due first happens first. */
export function createVirtualTime() {
  const clock = manualClock(0)
  const { after, nextTurn, advance } = clock

  /** How long it is busy from now on; 0 where it is free. */
  function createBusyMs({ rng, busyMs, freeMs, calm }: Lateness): () => number {
    let [from, until] = [0, 0]
    return () => {
      while (until <= clock.monotonic()) {
        from = until + rng.fraction() * freeMs
        until = from + rng.fraction() * busyMs
      }
      return calm() || clock.monotonic() < from ? 0 : until - clock.monotonic()
    }
  }

  /** A node's own clock: its wall clock is wrong by so much. `lateness`: of its turns; undefined: it has them at once. */
  function turnsOf({ skewMs, lateness }: { skewMs: number; lateness?: Lateness | undefined }): Turns {
    const busyMs = lateness === undefined ? () => 0 : createBusyMs(lateness)
    const afterLate = (ms: number, callback: () => void): Timer => {
      let timer = after(ms, () => {
        const wait = busyMs()
        if (wait > 0) timer = after(wait, callback)
        else callback()
      })
      const cancel = () => timer.cancel()
      return { cancel, [Symbol.dispose]: cancel }
    }
    const every = (ms: number, callback: () => void): Timer => {
      const again = () => {
        timer = afterLate(ms, again)
        callback()
      }
      let timer = afterLate(ms, again)
      const cancel = () => timer.cancel()
      return { cancel, [Symbol.dispose]: cancel }
    }
    return {
      clock: {
        now: () => 1_700_000_000_000 + clock.now() + skewMs,
        monotonic: () => clock.monotonic() + 5_000 + Math.abs(skewMs),
        ...{ after: afterLate, every, nextTurn },
      },
      async next() {
        const wait = busyMs()
        // the timers that are due come first
        if (wait > 0) await sleep(wait + 0.01)
      },
    }
  }

  const sleep = (ms: number) => new Promise<void>((resolve) => void after(ms, resolve))
  return {
    ...{ after, advance, now: clock.monotonic, sleep, turnsOf },
    clockWith: (skewMs: number): Clock => turnsOf({ skewMs }).clock,
  }
}
