import { rename, rm } from 'node:fs/promises'
import { MemoryDatastore } from 'datastore-core'
import { LevelDatastore } from 'datastore-level'
import type { Datastore } from 'interface-datastore'
import type { Clock } from '../../base/clock.ts'
import { errnoOf, isDiskFull, messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { keepPeersInMemory } from './peer-records.ts'

/** Where kad-dht keeps provider records: <prefix>/<cid>/<peer>. */
const PROVIDERS = '/dht/provider'

/**
 * The datastore that libp2p gets: known peers and DHT records, on disk or in memory. All its reads and writes go through
 * what this returns, so that rules for records have one place.
 */
export async function openDatastore(
  dataDir: string | undefined,
  components: { readonly clock: Clock; readonly log: Log; readonly datastore?: Datastore | undefined },
): Promise<{ store: Datastore } & AsyncDisposable> {
  if (dataDir === undefined || components.datastore !== undefined) {
    return { store: components.datastore ?? new MemoryDatastore(), [Symbol.asyncDispose]: async () => {} }
  }
  const level = await openLevel(dataDir).catch((error: unknown) => rebuild(dataDir, error, components))
  const peers = keepPeersInMemory(level, components)
  return {
    store: peers.store,
    async [Symbol.asyncDispose]() {
      await peers[Symbol.asyncDispose]()
      await level.close()
    },
  }
}

async function openLevel(dataDir: string): Promise<LevelDatastore> {
  const store = new LevelDatastore(dataDir)
  // not the store's own `open`, which does not say why it failed
  await store.db.open()
  // some damage shows only where it is read
  for await (const _key of store.queryKeys({ prefix: PROVIDERS })) break
  return store
}

/**
 * All that is lost is found again on the mesh; a node that does not start finds nothing. Where the disk is full, nothing
 * is wrong with the records, and new ones could not be written either.
 */
async function rebuild(dataDir: string, error: unknown, { log }: { readonly log: Log }): Promise<LevelDatastore> {
  if (isInUse(error) || isDiskFull(error)) throw error
  const aside = `${dataDir}.ruined`
  await rm(aside, { recursive: true, force: true })
  await rename(dataDir, aside)
  log.warn('the records of peers could not be read: they are set aside, and new ones are kept', {
    reason: reasonOf(error),
    aside,
  })
  return openLevel(dataDir)
}

/** Another process has it open: nothing is wrong with it. */
function isInUse(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return errnoOf(error) === 'LEVEL_LOCKED' || isInUse(error.cause)
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause instanceof Error ? `${messageOf(error)}: ${messageOf(cause)}` : messageOf(error)
}

/** What an earlier run provided may not be here any more: each part provides again what it has. */
export async function forgetOwnProvides(store: Datastore, peerId: string): Promise<void> {
  for await (const key of store.queryKeys({ prefix: PROVIDERS })) {
    if (key.name() === peerId) await store.delete(key)
  }
}
