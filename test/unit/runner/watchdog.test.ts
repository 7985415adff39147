import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { waitedForCpuMs } from '../../../src/runner/resident-memory.ts'
import { createWatchdog } from '../../../src/runner/watchdog.ts'

/** Looks at a process that says nothing, until it is blamed; answers after how long that was. */
async function blamedAfter(waitedOf: (elapsedMs: number) => number): Promise<number> {
  const clock = manualClock()
  let blamed: number | undefined
  using _dog = createWatchdog(clock, {
    pid: process.pid,
    timeoutMs: 800,
    residentBytes: Number.POSITIVE_INFINITY,
    busy: () => true,
    onFailure: () => {
      blamed ??= clock.monotonic()
    },
    waitedMs: async () => waitedOf(clock.monotonic()),
  })
  while (blamed === undefined && clock.monotonic() < 10_000) {
    await clock.advance(100)
    // a look reads files, too
    await new Promise((resolve) => setImmediate(resolve))
  }
  return blamed ?? Number.POSITIVE_INFINITY
}

describe('the time that a decision may take', () => {
  it('passes for a process that hangs, by computing or by waiting', async () => {
    expect(await blamedAfter(() => 0)).toBeLessThan(1200)
  })

  it('does not pass while no processor is free for it, within bounds', async () => {
    const half = await blamedAfter((elapsed) => elapsed / 2)
    expect(half).toBeGreaterThan(1500)
    expect(half).toBeLessThan(2000)
    const never = await blamedAfter((elapsed) => elapsed)
    expect(never).toBeGreaterThan(4000)
    expect(never).toBeLessThan(4500)
  })

  it.runIf(process.platform === 'linux')('is told by the system', async () => {
    expect(await waitedForCpuMs(process.pid)).toBeGreaterThan(0)
    expect(await waitedForCpuMs(2 ** 22 + 1)).toBe(0)
  })
})
