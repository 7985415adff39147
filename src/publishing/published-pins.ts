import { parseCid } from '../../protocols/encoding.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import type { Events } from '../base/events.ts'
import type { Code } from '../code/index.ts'
import type { IntakeEvents } from '../intake/index.ts'
import type { Journal } from '../journal/index.ts'

/** Services expire by themselves; their code may stay pinned a little longer. A stop frees it at once. */
const LOOK_EVERY_MS = 600_000

export interface PublishedPinsComponents {
  clock: Clock
  events: Pick<Events<IntakeEvents>, 'on'>
  code: { store: Pick<Code['store'], 'pin'> }
  journal: { published: Pick<Journal['published'], 'liveCodes'> }
}

/** Code of what was published here is not evicted while the service lives: there may be no other provider yet. */
export interface PublishedPins extends Disposable {
  /** The code of a service that is published now. */
  hold(code: string): void
  /** What lives no more is let go. It reads all that was published here. */
  look(): void
}

export function createPublishedPins({ clock, events, code, journal }: PublishedPinsComponents): PublishedPins {
  const held = new Map<string, Disposable>()

  function hold(id: string): void {
    if (!held.has(id)) held.set(id, code.store.pin(parseCid(id)))
  }

  function look(): void {
    const wanted = new Set(journal.published.liveCodes(nowSeconds(clock)))
    for (const id of wanted) hold(id)
    for (const [id, pin] of held) {
      if (wanted.has(id)) continue
      held.delete(id)
      pin[Symbol.dispose]()
    }
  }

  const timer = clock.every(LOOK_EVERY_MS, look)
  const subscription = events.on('intake:stopped', look)
  look()
  return {
    hold,
    look,
    [Symbol.dispose]() {
      timer.cancel()
      subscription[Symbol.dispose]()
      for (const pin of held.values()) pin[Symbol.dispose]()
    },
  }
}
