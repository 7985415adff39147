import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'

const WINDOW_MS = 15_000
/** The slowest link that is served: a modem has more. */
const SLOWEST: SpeedLimit = { bytesPerSecond: 4 * 1024, windows: 2 }
/** Where others wait for the slot that the download holds. It has longer: the server may need a while before it begins. */
const SLOWEST_WHILE_OTHERS_WAIT: SpeedLimit = { bytesPerSecond: 64 * 1024, windows: 4 }

type SpeedLimit = { readonly bytesPerSecond: number; readonly windows: number }
type Window = { readonly bytes: number; readonly othersWaited: boolean }

export type SpeedWatchInit = {
  /** What has come until now, and how many connections are open or being made. */
  readonly served: { readonly bytes: number; readonly attempts: number }
  readonly othersWait: () => boolean
  /** `problem`: what the server does, for a sentence */
  readonly onSlow: (problem: string) => void
}

/**
 * Ends a download that is too slow: it holds a slot. What came is summed over the last windows, so that a server that sends
 * something now and then is no faster than one that drips. A window without a connection and bytes does not count: the
 * process is busy with what came.
 */
export function watchSpeed(clock: Clock, { served, othersWait, onSlow }: SpeedWatchInit): Disposable {
  let before = served.bytes
  let last: Window[] = []

  function isBelow({ bytesPerSecond, windows }: SpeedLimit, counted: readonly Window[]): boolean {
    const recent = counted.slice(-windows)
    const bytes = recent.reduce((sum, window) => sum + window.bytes, 0)
    return recent.length === windows && bytes < (bytesPerSecond * windows * WINDOW_MS) / 1000
  }

  return clock.every(WINDOW_MS, () => {
    const window = { bytes: served.bytes - before, othersWaited: othersWait() }
    before = served.bytes
    if (served.attempts === 0 && window.bytes === 0) return
    last = [...last, window].slice(-SLOWEST_WHILE_OTHERS_WAIT.windows)
    if (isBelow(SLOWEST, last)) return onSlow(sentence(SLOWEST))
    const contended = last.every(({ othersWaited }) => othersWaited)
    if (contended && isBelow(SLOWEST_WHILE_OTHERS_WAIT, last)) {
      onSlow(`${sentence(SLOWEST_WHILE_OTHERS_WAIT)} while other authors wait for its download slot`)
    }
  })
}

function sentence({ bytesPerSecond, windows }: SpeedLimit): string {
  return `the server has sent less than ${formatBytes(bytesPerSecond)} a second for ${(windows * WINDOW_MS) / 1000} s`
}
