import { BaseDatastore } from 'datastore-core'
import type { Datastore, Key, KeyQuery, Query } from 'interface-datastore'
import type { Fence } from './fence.ts'

/** libp2p's datastore, as one process has it: a crashed one writes nothing to the machine's. */
export class FencedDatastore extends BaseDatastore {
  readonly #machines: Datastore
  readonly #fence: Fence

  constructor(machines: Datastore, fence: Fence) {
    super()
    this.#machines = machines
    this.#fence = fence
  }

  override put(...[key, ...rest]: Parameters<Datastore['put']>): Key | Promise<Key> {
    return this.#fence.survives() ? this.#machines.put(key, ...rest) : key
  }

  override delete(...parameters: Parameters<Datastore['delete']>): void | Promise<void> {
    if (this.#fence.survives()) return this.#machines.delete(...parameters)
  }

  override get(...parameters: Parameters<Datastore['get']>): Uint8Array | Promise<Uint8Array> {
    return this.#machines.get(...parameters)
  }

  override has(...parameters: Parameters<Datastore['has']>): boolean | Promise<boolean> {
    return this.#machines.has(...parameters)
  }

  override query(query: Query): ReturnType<BaseDatastore['query']> {
    return this.#machines.query(query) as ReturnType<BaseDatastore['query']>
  }

  override queryKeys(query: KeyQuery): ReturnType<BaseDatastore['queryKeys']> {
    return this.#machines.queryKeys(query) as ReturnType<BaseDatastore['queryKeys']>
  }
}
