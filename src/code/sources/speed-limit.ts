import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import { DOWNLOAD_MS } from '../constants.ts'
import type { DownloadSlot } from './download-slots.ts'

const WINDOW_MS = 15_000
/** The slowest link that is served: a modem has more. */
const SLOWEST: SpeedLimit = { bytesPerSecond: 4 * 1024, windows: 2 }
/** Where others wait for the slot that the download holds. It has longer: the server may need a while before it begins. */
const SLOWEST_WHILE_OTHERS_WAIT: SpeedLimit = { bytesPerSecond: 64 * 1024, windows: 4 }
/**
 * Where others have waited for longer, the slowest of all that get less than this makes room: four that send just what they
 * must keep no slot until their time is over. Slots share the link of the node, so that honest ones may get no more: each time
 * the same download makes room it has twice as long the next time, up to what a download may take in all, and so it arrives.
 */
const SLOWEST_OF_ALL: SpeedLimit = { bytesPerSecond: 256 * 1024, windows: 8 }
const MAX_WINDOWS = DOWNLOAD_MS / WINDOW_MS

type SpeedLimit = { readonly bytesPerSecond: number; readonly windows: number }
type Window = { readonly bytes: number; readonly othersWaited: boolean }

export type SpeedWatchInit = {
  /** What has come until now, and how many connections are open or being made. */
  readonly served: { readonly bytes: number; readonly attempts: number }
  readonly othersWait: () => boolean
  /** Its slot, in which the slowest of all makes room. */
  readonly slot?: Pick<DownloadSlot, 'report' | 'timesMadeRoom' | 'makesRoom'> | undefined
  /** `problem`: how slowly it came, for a sentence */
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
  const slowestOfAll = afterMadeRoom(slot?.timesMadeRoom ?? 0)

  function isBelow({ bytesPerSecond, windows }: SpeedLimit): boolean {
    return last.length >= windows && rateOf(last.slice(-windows)) < bytesPerSecond
  }

  return clock.every(WINDOW_MS, () => {
    const window = { bytes: served.bytes - before, othersWaited: othersWait() }
    before = served.bytes
    if (served.attempts === 0 && window.bytes === 0) return
    last = [...last, window].slice(-MAX_WINDOWS)
    slot?.report(rateOf(last.slice(-SLOWEST_OF_ALL.windows)))
    if (isBelow(SLOWEST)) return onSlow(sentence(SLOWEST))
    const contended = ({ windows }: SpeedLimit) => last.slice(-windows).every(({ othersWaited }) => othersWaited)
    const isTooSlow = contended(SLOWEST_WHILE_OTHERS_WAIT) && isBelow(SLOWEST_WHILE_OTHERS_WAIT)
    if (isTooSlow) return onSlow(`${sentence(SLOWEST_WHILE_OTHERS_WAIT)} ${WHILE_OTHERS_WAIT}`)
    const mayBeSlowest = contended(slowestOfAll) && isBelow(slowestOfAll)
    if (mayBeSlowest && slot?.makesRoom() === true) {
      onSlow(`${sentence(slowestOfAll)} ${WHILE_OTHERS_WAIT}, and is the slowest of all`)
    }
  })
}

const WHILE_OTHERS_WAIT = 'while other authors wait for its download slot'

/** What is asked of a download that has made room so often. */
function afterMadeRoom(times: number): SpeedLimit {
  return { ...SLOWEST_OF_ALL, windows: Math.min(SLOWEST_OF_ALL.windows * 2 ** times, MAX_WINDOWS) }
}

function rateOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { bytes }) => sum + bytes, 0) / ((windows.length * WINDOW_MS) / 1000)
}

function sentence({ bytesPerSecond, windows }: SpeedLimit): string {
  return `it came at less than ${formatBytes(bytesPerSecond)} a second for ${(windows * WINDOW_MS) / 1000} s`
}
