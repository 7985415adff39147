import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import type { DownloadSlot } from './download-slots.ts'

const WINDOW_MS = 15_000
/** The slowest link that is served: a modem has more. */
const SLOWEST: SpeedLimit = { bytesPerSecond: 4 * 1024, windows: 2 }
/** Where others wait for the slot that the download holds. It has longer: the server may need a while before it begins. */
const SLOWEST_WHILE_OTHERS_WAIT: SpeedLimit = { bytesPerSecond: 64 * 1024, windows: 4 }
/**
 * Where others have waited for longer, the slowest of all that get less than this makes room: four that send just what they
 * must keep no slot until their time is over.
 */
const SLOWEST_OF_ALL: SpeedLimit = { bytesPerSecond: 256 * 1024, windows: 8 }

type SpeedLimit = { readonly bytesPerSecond: number; readonly windows: number }
type Window = { readonly bytes: number; readonly othersWaited: boolean }

export type SpeedWatchInit = {
  /** What has come until now, and how many connections are open or being made. */
  readonly served: { readonly bytes: number; readonly attempts: number }
  readonly othersWait: () => boolean
  /** Its slot, in which the slowest of all makes room. */
  readonly slot?: Pick<DownloadSlot, 'report' | 'makesRoom'> | undefined
  /** `problem`: what the server does, for a sentence */
  readonly onSlow: (problem: string) => void
}

/**
 * Ends a download that is too slow: it holds a slot. What came is summed over the last windows, so that a server that sends
 * something now and then is no faster than one that drips. A window without a connection and bytes does not count: the
 * process is busy with what came.
 */
export function watchSpeed(clock: Clock, { served, othersWait, slot, onSlow }: SpeedWatchInit): Disposable {
  let before = served.bytes
  let last: Window[] = []

  function isBelow({ bytesPerSecond, windows }: SpeedLimit): boolean {
    return last.length >= windows && rateOf(last.slice(-windows)) < bytesPerSecond
  }

  return clock.every(WINDOW_MS, () => {
    const window = { bytes: served.bytes - before, othersWaited: othersWait() }
    before = served.bytes
    if (served.attempts === 0 && window.bytes === 0) return
    last = [...last, window].slice(-SLOWEST_OF_ALL.windows)
    slot?.report(rateOf(last))
    if (isBelow(SLOWEST)) return onSlow(sentence(SLOWEST))
    const contended = ({ windows }: SpeedLimit) => last.slice(-windows).every(({ othersWaited }) => othersWaited)
    const isTooSlow = contended(SLOWEST_WHILE_OTHERS_WAIT) && isBelow(SLOWEST_WHILE_OTHERS_WAIT)
    if (isTooSlow) return onSlow(`${sentence(SLOWEST_WHILE_OTHERS_WAIT)} ${WHILE_OTHERS_WAIT}`)
    const mayBeSlowest = contended(SLOWEST_OF_ALL) && isBelow(SLOWEST_OF_ALL)
    if (mayBeSlowest && slot?.makesRoom() === true) {
      onSlow(`${sentence(SLOWEST_OF_ALL)} ${WHILE_OTHERS_WAIT}, and is the slowest of all`)
    }
  })
}

const WHILE_OTHERS_WAIT = 'while other authors wait for its download slot'

function rateOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { bytes }) => sum + bytes, 0) / ((windows.length * WINDOW_MS) / 1000)
}

function sentence({ bytesPerSecond, windows }: SpeedLimit): string {
  return `the server has sent less than ${formatBytes(bytesPerSecond)} a second for ${(windows * WINDOW_MS) / 1000} s`
}
