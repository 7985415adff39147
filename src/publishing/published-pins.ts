import { parseCid } from '../../protocols/encoding.ts'
import type { Clock } from '../base/clock.ts'
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
  journal: Pick<Journal, 'published' | 'announcements'>
}

/** Code of what was published here is not evicted while the service lives: there may be no other provider yet. */
export interface PublishedPins extends Disposable {
  look(): void
}

export function createPublishedPins({ clock, events, code, journal }: PublishedPinsComponents): PublishedPins {
  const held = new Map<string, Disposable>()

  function wanted(): Set<string> {
    const live = journal.published
      .all()
      .map(({ service }) => journal.announcements.get(service))
      .filter((record) => record?.state === 'live' && record.expires * 1000 > clock.now())
    return new Set(live.flatMap((record) => record?.code ?? []))
  }

  function look(): void {
    const now = wanted()
    for (const id of now) if (!held.has(id)) held.set(id, code.store.pin(parseCid(id)))
    for (const [id, pin] of held) {
      if (now.has(id)) continue
      held.delete(id)
      pin[Symbol.dispose]()
    }
  }

  const timer = clock.every(LOOK_EVERY_MS, look)
  const subscription = events.on('intake:stopped', look)
  look()
  return {
    look,
    [Symbol.dispose]() {
      timer.cancel()
      subscription[Symbol.dispose]()
      for (const pin of held.values()) pin[Symbol.dispose]()
    },
  }
}
