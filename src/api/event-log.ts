import type { AnyListener, Events } from '../base/events.ts'

export type LoggedEvent = { readonly id: string; readonly name: string; readonly detail: unknown }

/** The newest events with ids, so that a reconnecting reader misses nothing that is still remembered. */
export interface EventLog extends Disposable {
  /** Events after `id`; none where `id` is from another start of the node or unknown. */
  after(id: string): readonly LoggedEvent[]
  follow(listener: (event: LoggedEvent) => void): Disposable
}

/** `epoch` distinguishes the starts of the node: ids of different starts are unrelated. */
export function createEventLog<Map>(events: Events<Map>, init: { epoch: string; memory: number }): EventLog {
  const remembered: LoggedEvent[] = []
  const followers = new Set<(event: LoggedEvent) => void>()
  let count = 0
  const note: AnyListener<Map> = (name, detail) => {
    const event = { id: `${init.epoch}-${count++}`, name, detail }
    // dropped in bulk: shifting an array for each event would cost its length
    if (remembered.push(event) > init.memory * 2) remembered.splice(0, init.memory)
    for (const follower of followers) follower(event)
  }
  const subscription = events.onAny(note)
  return {
    after(id) {
      const index = remembered.findIndex((event) => event.id === id)
      return index < 0 ? [] : remembered.slice(index + 1)
    },
    follow(listener) {
      followers.add(listener)
      return { [Symbol.dispose]: () => void followers.delete(listener) }
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]()
      followers.clear()
    },
  }
}
