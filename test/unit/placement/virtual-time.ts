import { type Clock, manualClock } from '../../../src/base/clock.ts'

/** Time that passes as fast as the machine allows, for many nodes: what is due first happens first. */
export function createVirtualTime() {
  const clock = manualClock(0)
  const { after, every, nextTurn, advance } = clock
  return {
    ...{ after, advance },
    now: clock.monotonic,
    sleep: (ms: number) => new Promise<void>((resolve) => void after(ms, resolve)),
    /** A node's own clock: its wall clock is wrong by so much. */
    clockWith: (skewMs: number): Clock => ({
      now: () => 1_700_000_000_000 + clock.now() + skewMs,
      monotonic: () => clock.monotonic() + 5_000 + Math.abs(skewMs),
      ...{ after, every, nextTurn },
    }),
  }
}
