import type { Emitter } from '../base/events.ts'
import type { DropReason, IntakeEvents } from './events.ts'

export type Counts = {
  received: number
  better: number
  known: number
  refused: number
  outdated: number
  dropped: Record<DropReason, number>
  emitted: Record<IntakeEvents['intake:emitted']['how'], number>
}

export function zeroCounts(): Counts {
  return {
    received: 0,
    better: 0,
    known: 0,
    refused: 0,
    outdated: 0,
    dropped: {
      'author-services': 0,
      'author-rate': 0,
      'author-updates': 0,
      'peer-authors': 0,
      'queue-full': 0,
      'waiting-full': 0,
      'missed-full': 0,
      journal: 0,
    },
    emitted: { published: 0, forwarded: 0, offered: 0 },
  }
}

/** Counts what it emits. */
export function countingEvents(events: Emitter<IntakeEvents>, counts: Counts): Emitter<IntakeEvents> {
  const counters: { [Name in keyof IntakeEvents]?: (detail: IntakeEvents[Name]) => void } = {
    'intake:received': () => counts.received++,
    'intake:better': () => counts.better++,
    'intake:refused': () => counts.refused++,
    'intake:dropped': ({ why }) => counts.dropped[why]++,
    'intake:emitted': ({ how }) => counts.emitted[how]++,
  }
  return {
    emit(name, detail) {
      counters[name]?.(detail)
      events.emit(name, detail)
    },
  }
}
