import type { AnyListener, Events } from '../../base/events.ts'

/** `asOf`: answers with this number or a higher one show what it tells. */
export type LoggedEvent = {
  readonly id: string
  readonly name: string
  readonly detail: unknown
  readonly asOf: number
}

/** The newest events with ids, so that a reconnecting reader misses nothing that is still remembered. */
export interface EventLog extends Disposable {
  /** Events after `id`; undefined where that is not remembered any more, or is of another start of the node: some may be missing. */
  after(id: string): readonly LoggedEvent[] | undefined
  follow(listener: (event: LoggedEvent) => void): Disposable
  /** The id of the newest event, or of the beginning. */
  last(): string
}

export type EventLogInit = {
  /** distinguishes the starts of the node: ids of different starts are unrelated */
  readonly epoch: string
  /** so many events are remembered at least, and at most twice as many */
  readonly memory: number
  asOf(): number
}

export function createEventLog<Map>(events: Events<Map>, { epoch, memory, asOf }: EventLogInit): EventLog {
  const remembered: LoggedEvent[] = []
  const followers = new Set<(event: LoggedEvent) => void>()
  let count = 0
  const idOf = (number: number) => `${epoch}-${number}`
  const note: AnyListener<Map> = (name, detail) => {
    const event = { id: idOf(++count), name, detail, asOf: asOf() }
    // dropped in bulk: shifting an array for each event would cost its length
    if (remembered.push(event) > memory * 2) remembered.splice(0, memory)
    for (const follower of followers) follower(event)
  }
  const subscription = events.onAny(note)
  return {
    after(id) {
      const known = id.startsWith(`${epoch}-`) ? Number(id.slice(epoch.length + 1)) : Number.NaN
      const missed = count - known
      if (!Number.isInteger(known) || missed < 0 || missed > remembered.length) return undefined
      return missed === 0 ? [] : remembered.slice(-missed)
    },
    follow(listener) {
      followers.add(listener)
      return { [Symbol.dispose]: () => void followers.delete(listener) }
    },
    last: () => idOf(count),
    [Symbol.dispose]() {
      subscription[Symbol.dispose]()
      followers.clear()
    },
  }
}
