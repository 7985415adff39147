import { signal } from '@preact/signals'
import { type Activity, activityOf } from './activity.ts'
import { type LiveEvent, listen } from './live.ts'

/** What is kept; older things are in the node's log. */
const MAX_ACTIVITIES = 50
/** Announcements are counted by spans of this length. */
export const SPAN_MS = 5_000
const SPANS = 61

/** The newest first. */
export const feed = signal<readonly Activity[]>([])
/** How many announcements arrived in each span of the last five minutes; the oldest first. `at`: where the last span ends, in ms. */
export const announcements = signal<{ readonly at: number; readonly counts: readonly number[] }>({
  at: spanEnd(Date.now()),
  counts: [0],
})

listen((events) => {
  const said = events.map(activityOf).filter((activity) => activity !== undefined)
  if (said.length > 0) feed.value = [...said.reverse(), ...feed.value].slice(0, MAX_ACTIVITIES)
  count(events)
})
setInterval(() => count([]), SPAN_MS)

function count(events: readonly LiveEvent[]): void {
  const arrived = events.filter(({ name }) => name === 'intake:received').length
  const now = spanEnd(Date.now())
  const { at, counts } = announcements.value
  if (now === at && arrived === 0) return
  const passed = Math.min(SPANS, Math.max(0, Math.round((now - at) / SPAN_MS)))
  const shifted = [...counts, ...Array<number>(passed).fill(0)].slice(-SPANS)
  shifted[shifted.length - 1] = (shifted.at(-1) ?? 0) + arrived
  announcements.value = { at: now, counts: shifted }
}

function spanEnd(ms: number): number {
  return Math.ceil((ms + 1) / SPAN_MS) * SPAN_MS
}
