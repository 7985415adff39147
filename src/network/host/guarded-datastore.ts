import { BaseDatastore } from 'datastore-core'
import type { Datastore, Key, KeyQuery, Query } from 'interface-datastore'

/** The hooks between libp2p and the keys below one prefix. Names are complete keys. */
export interface Guard {
  put(name: string, value: Uint8Array): Promise<void>
  get(name: string): Promise<Uint8Array>
  has(name: string): Promise<boolean>
  delete(name: string): Promise<void>
  /** Resolves when a query of the store finds all that was put. */
  written?(): Promise<void>
}

type Options = { signal?: AbortSignal }

/** The same store; many at once and batches come down to single puts and deletes, so that none goes around the guard. */
export class GuardedDatastore extends BaseDatastore {
  readonly #store: Datastore
  readonly #prefix: string
  readonly #guard: Guard

  constructor(store: Datastore, prefix: string, guard: Guard) {
    super()
    this.#store = store
    this.#prefix = prefix
    this.#guard = guard
  }

  override put(key: Key, value: Uint8Array, options?: Options): Key | Promise<Key> {
    const name = this.#guarded(key)
    return name === undefined ? this.#store.put(key, value, options) : this.#guard.put(name, value).then(() => key)
  }

  override get(key: Key, options?: Options): Uint8Array | Promise<Uint8Array> {
    const name = this.#guarded(key)
    return name === undefined ? this.#store.get(key, options) : this.#guard.get(name)
  }

  override has(key: Key, options?: Options): boolean | Promise<boolean> {
    const name = this.#guarded(key)
    return name === undefined ? this.#store.has(key, options) : this.#guard.has(name)
  }

  override delete(key: Key, options?: Options): void | Promise<void> {
    const name = this.#guarded(key)
    return name === undefined ? this.#store.delete(key, options) : this.#guard.delete(name)
  }

  override async *query(query: Query, options?: Options) {
    await this.#guard.written?.()
    yield* this.#store.query(query, options)
  }

  override async *queryKeys(query: KeyQuery, options?: Options) {
    await this.#guard.written?.()
    yield* this.#store.queryKeys(query, options)
  }

  #guarded(key: Key): string | undefined {
    const name = key.toString()
    return name.startsWith(this.#prefix) ? name : undefined
  }
}
