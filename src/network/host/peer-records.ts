import { type Datastore, Key } from 'interface-datastore'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import { GuardedDatastore } from './guarded-datastore.ts'

/** Where libp2p keeps what it knows of each peer. */
const PEERS = '/peers/'
const WRITE_EVERY_MS = 10_000
/** More than a node has connections. */
const MAX_IN_MEMORY = 512

/**
 * libp2p reads and writes a peer's record with every stream. Here that waits for no disk, and a full disk fails no stream: the
 * records in use are in memory, and what changed is written every ten seconds. What a killed process had not written,
 * the next connection tells again.
 */
export function keepPeersInMemory(
  store: Datastore,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): { readonly store: Datastore } & AsyncDisposable {
  const records = new LruMap<string, Uint8Array>(MAX_IN_MEMORY)
  const unwritten = new Map<string, Uint8Array>()
  let writing: Promise<void> = Promise.resolve()
  let failed = false

  async function writeAll(): Promise<void> {
    const batch = store.batch()
    const written = [...unwritten]
    for (const [name, value] of written) batch.put(new Key(name, false), value)
    await batch.commit()
    for (const [name, value] of written) if (unwritten.get(name) === value) unwritten.delete(name)
  }

  /** One after the other: a record that was removed is not written again. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = writing.then(work)
    writing = done.catch(() => {})
    return done
  }

  function write(): Promise<void> {
    return inTurn(async () => {
      if (unwritten.size === 0) return
      try {
        await writeAll()
        failed = false
      } catch (error) {
        if (!failed) log.warn('what is known of peers cannot be written', { reason: messageOf(error) })
        failed = true
        // the rest is tried again
        for (const name of [...unwritten.keys()].slice(0, -MAX_IN_MEMORY)) unwritten.delete(name)
      }
    })
  }

  const timer = clock.every(WRITE_EVERY_MS, () => void write())
  const read = async (name: string) => {
    const known = unwritten.get(name) ?? records.get(name)
    if (known !== undefined) return known
    const value = await store.get(new Key(name, false))
    if (!records.has(name)) records.set(name, value)
    return value
  }
  return {
    store: new GuardedDatastore(store, PEERS, {
      async put(name, value) {
        records.set(name, value)
        unwritten.set(name, value)
        if (unwritten.size > MAX_IN_MEMORY) await write()
      },
      get: read,
      has: async (name) => unwritten.has(name) || records.has(name) || (await store.has(new Key(name, false))),
      async delete(name) {
        records.delete(name)
        unwritten.delete(name)
        await inTurn(async () => void (await store.delete(new Key(name, false))))
      },
      written: write,
    }),
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await write()
    },
  }
}
