import type { Clock } from '../base/clock.ts'
import { formatBytes } from '../base/format.ts'
import { MAX_STARVED_TIMES, WATCH_EVERY_MS } from './constants.ts'
import { RunnerError } from './errors.ts'
import { residentBytes, waitedForCpuMs } from './resident-memory.ts'

/** Looks at a process again and again: does it still answer, and how much memory has it taken? */
export interface Watchdog extends Disposable {
  /** The process is alive. */
  heartbeat(): void
  readonly residentBytes: number
}

export function createWatchdog(
  clock: Clock,
  init: {
    readonly pid: number
    readonly timeoutMs: number
    readonly residentBytes: number
    /** is it asked anything? */
    readonly busy: () => boolean
    readonly onFailure: (error: RunnerError) => void
    /** how long it has waited for a processor, in all; as the system says by default */
    readonly waitedMs?: (pid: number) => Promise<number>
  },
): Watchdog {
  let lastHeartbeat = clock.monotonic()
  let overdue = 0
  let resident = 0
  let waited: number | undefined
  let [starved, seen] = [0, lastHeartbeat]
  const { waitedMs = waitedForCpuMs } = init
  const look = async () => {
    const before = waited
    waited = await waitedMs(init.pid)
    starved = seen === lastHeartbeat ? starved + waited - (before ?? waited) : 0
    seen = lastHeartbeat
    const silent = clock.monotonic() - lastHeartbeat
    const late = silent - starved > init.timeoutMs || silent > MAX_STARVED_TIMES * init.timeoutMs
    // Two looks in a row: what it sent while our own event loop was busy is read between them.
    overdue = init.busy() && late ? overdue + 1 : 0
    if (overdue >= 2) {
      init.onFailure(new RunnerError('timeout', `the runner gave no answer within ${init.timeoutMs} ms`))
    }
    resident = (await residentBytes(init.pid)) ?? resident
    if (resident > init.residentBytes) {
      const sizes = `${formatBytes(resident)} of memory, and ${formatBytes(init.residentBytes)} are allowed`
      init.onFailure(new RunnerError('memory', `the runner used ${sizes}`))
    }
  }
  const timer = clock.every(WATCH_EVERY_MS, () => void look())
  return {
    heartbeat() {
      lastHeartbeat = clock.monotonic()
    },
    get residentBytes() {
      return resident
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}
