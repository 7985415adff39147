import { raceSignal } from 'race-signal'

/** Called for every event: its name and its detail. */
export type AnyListener<Events> = <Name extends keyof Events & string>(name: Name, detail: Events[Name]) => void

/**
 * A typed event map. Log lines, metrics, the event stream and the simulator's recorder are subscribers like any other.
 * A listener that throws does not keep the others from hearing; its error goes to `onError`.
 */
export interface Events<Map> {
  emit<Name extends keyof Map & string>(name: Name, detail: Map[Name]): void
  on<Name extends keyof Map & string>(name: Name, listener: (detail: Map[Name]) => void): Disposable
  onAny(listener: AnyListener<Map>): Disposable
}

/** What a part needs of the joined event map: to emit its own. */
export type Emitter<Map> = Pick<Events<Map>, 'emit'>

export function createEvents<Map>(onError: (error: unknown) => void = reportLater): Events<Map> {
  const named = new globalThis.Map<string, Set<(detail: never) => void>>()
  const all = new Set<AnyListener<Map>>()
  const guard = (call: () => void) => {
    try {
      call()
    } catch (error) {
      onError(error)
    }
  }
  return {
    emit(name, detail) {
      for (const listener of named.get(name) ?? []) guard(() => listener(detail as never))
      for (const listener of all) guard(() => listener(name, detail))
    },
    on(name, listener) {
      const listeners = named.get(name) ?? new Set()
      named.set(name, listeners.add(listener as (detail: never) => void))
      return { [Symbol.dispose]: () => void listeners.delete(listener as (detail: never) => void) }
    },
    onAny(listener) {
      all.add(listener)
      return { [Symbol.dispose]: () => void all.delete(listener) }
    },
  }
}

/** Resolves with the first matching event; rejects with the signal's reason. */
export async function once<Map, Name extends keyof Map & string>(
  events: Events<Map>,
  name: Name,
  options: { where?: (detail: Map[Name]) => boolean; signal?: AbortSignal | undefined } = {},
): Promise<Map[Name]> {
  const { promise, resolve } = Promise.withResolvers<Map[Name]>()
  using _subscription = events.on(name, (detail) => {
    if (options.where?.(detail) !== false) resolve(detail)
  })
  return await raceSignal(promise, options.signal)
}

function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
