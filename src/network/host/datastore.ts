import { MemoryDatastore } from 'datastore-core'
import { LevelDatastore } from 'datastore-level'
import type { Datastore } from 'interface-datastore'

/** Where kad-dht keeps provider records: <prefix>/<cid>/<peer>. */
const PROVIDERS = '/dht/provider'

/**
 * The datastore that libp2p gets: known peers and DHT records, on disk or in memory. All its reads and writes go through
 * what this returns, so that rules for records have one place.
 */
export async function openDatastore(dataDir: string | undefined): Promise<{ store: Datastore } & AsyncDisposable> {
  if (dataDir === undefined) return { store: new MemoryDatastore(), [Symbol.asyncDispose]: async () => {} }
  const store = new LevelDatastore(dataDir)
  await store.open()
  return { store, [Symbol.asyncDispose]: async () => void (await store.close()) }
}

/** What an earlier run provided may not be here any more: whoever has something provides it again. */
export async function forgetOwnProvides(store: Datastore, peerId: string): Promise<void> {
  for await (const key of store.queryKeys({ prefix: PROVIDERS })) {
    if (key.name() === peerId) await store.delete(key)
  }
}
