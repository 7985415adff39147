import { Record as DhtRecord, type Selectors, type Validators } from '@libp2p/kad-dht'
import { type Datastore, Key } from 'interface-datastore'
import { compareBytes, toBase32 } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError } from '../../../protocols/errors.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf, NotFoundError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { RecordValidator } from '../../base/statement-sync.ts'
import { createKeyedRateLimiter } from '../../base/token-bucket.ts'
import { createWorkQueue } from '../../base/work-queue.ts'
import { MAX_RECORDS, RECORD_LOOKS, RECORD_PEERS, RECORD_PUTS, RECORD_QUEUE, RECORD_SWEEP_MS } from '../constants.ts'
import { RecordRefusedError } from '../errors.ts'
import type { NetworkEvents } from '../events.ts'
import { GuardedDatastore } from '../host/guarded-datastore.ts'
import type { PeerScores } from '../types.ts'
import { createRecordIndex, isExpired, mergePlacers, OURS, type RecordMeta } from './record-index.ts'
import { createRecordCheck, type RecordCheck } from './record-validation.ts'
import { decodeStoredRecord, encodeStoredRecord, type StoredRecord } from './stored-record.ts'

/** Where kad-dht keeps value records: <prefix><key in base32>. */
export const RECORDS = '/dht/record/'
/** The first part of the keys that there are: kad-dht refuses others. */
const KINDS = ['attest', 'trust']

export interface RecordsComponents {
  clock: Clock
  log: Log
  events: Emitter<NetworkEvents>
  peerScores: PeerScores
  store: Datastore
  validator: RecordValidator | undefined
  /** The peer whose request is being answered. */
  requestingPeer(): string | undefined
}

/**
 * The DHT's value records. Whatever writes one (a peer's put, an own put, a correction) comes through `store`, and meets
 * the same rules there, one write after the other: kad-dht by itself lets an older record replace a newer one.
 */
export interface Records extends AsyncDisposable {
  /** What libp2p gets. */
  readonly store: Datastore
  readonly validators: Validators
  readonly selectors: Selectors
  readonly check: RecordCheck
  /** The stored value of a key that has not expired. */
  local(key: string): Promise<Uint8Array | undefined>
  /** Records that lie here. */
  count(): number
}

export async function createRecords(components: RecordsComponents, init: { protocol: string }): Promise<Records> {
  const { clock, log, events, peerScores, store, validator, requestingPeer } = components
  const index = createRecordIndex()
  const check = createRecordCheck(validator, clock)
  const puts = createKeyedRateLimiter(clock, RECORD_PUTS, RECORD_PEERS)
  // one at a time: nothing else is written between the read of the old record and the write
  const writes = createWorkQueue({ name: 'records', concurrency: 1, max: RECORD_QUEUE })

  const read = async (name: string): Promise<StoredRecord | undefined> => {
    if (index.get(name) === undefined) return undefined
    try {
      return decodeStoredRecord(await store.get(new Key(name, false)))
    } catch (error) {
      log.warn('a record cannot be read and is removed', { name, error: messageOf(error) })
      return undefined
    }
  }
  const inTime = async (name: string): Promise<StoredRecord | undefined> => {
    const meta = index.get(name)
    return meta === undefined || isExpired(meta, clock.now()) ? undefined : await read(name)
  }
  const forget = async (name: string) => {
    index.remove(name)
    await store.delete(new Key(name, false))
  }
  /** One record goes for the one that comes; those that this node relies on are found out here, and count as its own. */
  const evictOne = async (coming: string) => {
    for (let look = 0; look < RECORD_LOOKS; look++) {
      const name = index.evictionCandidate(coming)
      const meta = name === undefined ? undefined : index.get(name)
      if (name === undefined || meta === undefined) break
      const { second, ...first } = meta
      const kept = second === undefined ? await read(name) : undefined
      if (second === undefined && (kept === undefined || !validator?.isPinned(kept.value))) return await forget(name)
      index.set(name, { ...first, placer: second ?? OURS })
    }
    throw new RecordRefusedError('no more records can be stored')
  }
  const consumePutBudget = (peer: string) => {
    if (!puts.take(peer)) throw new RecordRefusedError('too many records in a short time')
  }

  const write = async (name: string, key: string, value: Uint8Array, peer: string | undefined) => {
    const { signer, expires } = check(key, value)
    await writes.add(async () => {
      const held = await read(name)
      if (held !== undefined && compareBytes(held.value, value) !== 0 && !validator?.supersedes(value, held.value)) {
        throw new RecordRefusedError('a newer record lies under this key')
      }
      const placer = peer === undefined || validator?.isPinned(value) ? OURS : peer
      if (held === undefined) {
        const refusal = index.refusal({ signer, placer })
        if (refusal !== undefined) throw new RecordRefusedError(refusal)
        if (index.full()) await evictOne(placer)
      }
      const meta = {
        signer,
        ...(held === undefined ? { placer } : mergePlacers(held.meta, placer)),
        receivedAt: clock.now(),
        expiresAt: expires * 1000,
      }
      await store.put(new Key(name, false), encodeStoredRecord({ meta, key, value }))
      index.set(name, meta)
    })
  }
  const put = async (name: string, encoded: Uint8Array) => {
    const peer = requestingPeer()
    try {
      if (peer !== undefined) consumePutBudget(peer)
      const record = DhtRecord.deserialize(encoded)
      if (name !== RECORDS + toBase32(record.key)) throw new ProtocolError('key', 'is not the one that it is put under')
      await write(name, new TextDecoder().decode(record.key), record.value, peer)
    } catch (error) {
      if (peer === undefined) throw error
      if (isPeerFault(error)) peerScores.penalize(peer)
      events.emit('network:refused', { peer, protocol: init.protocol, reason: messageOf(error) })
      throw error
    }
  }
  const sweep = async () => {
    const expired = [...index.expired(clock.now())]
    for (const name of expired) await forget(name)
  }

  if (validator !== undefined) await load(components, index)
  await sweep()
  const timer = clock.every(RECORD_SWEEP_MS, () => {
    writes
      .add(sweep)
      .catch((error: unknown) => log.warn('expired records could not be removed', { error: messageOf(error) }))
  })

  return {
    check,
    store: new GuardedDatastore(store, RECORDS, {
      put,
      async get(name) {
        const kept = await inTime(name)
        if (kept === undefined) throw new NotFoundError('there is no such record')
        const { meta, key, value } = kept
        return new DhtRecord(new TextEncoder().encode(key), value, new Date(meta.receivedAt)).serialize()
      },
      has: async (name) => (await inTime(name)) !== undefined,
      delete: (name) => writes.add(() => forget(name)),
    }),
    validators: Object.fromEntries(
      KINDS.map((kind) => [
        kind,
        // what a peer puts is checked by the store, after it was counted
        (key: Uint8Array, value: Uint8Array) => {
          if (requestingPeer() === undefined) check(new TextDecoder().decode(key), value)
        },
      ]),
    ),
    selectors: Object.fromEntries(
      KINDS.map((kind) => [kind, (_key: Uint8Array, values: Uint8Array[]) => best(values)]),
    ),
    local: async (key) => (await inTime(RECORDS + toBase32(new TextEncoder().encode(key))))?.value,
    count: () => index.size,
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await writes.idle()
    },
  }

  function best(values: readonly Uint8Array[]): number {
    return values.reduce(
      (found, value, at) => (at > 0 && validator?.supersedes(value, values[found] ?? value) ? at : found),
      0,
    )
  }
}

/** Records of an earlier run; what is not of this form, or does not fit, is removed. */
async function load({ store, log }: RecordsComponents, index: ReturnType<typeof createRecordIndex>): Promise<void> {
  const found: { name: string; meta: RecordMeta }[] = []
  const unusable: Key[] = []
  for await (const { key, value } of store.query({ prefix: RECORDS })) {
    try {
      const { meta } = decodeStoredRecord(value)
      if (found.length < MAX_RECORDS) found.push({ name: key.toString(), meta })
      else unusable.push(key)
    } catch {
      unusable.push(key)
    }
  }
  for (const { name, meta } of found.sort((a, b) => a.meta.receivedAt - b.meta.receivedAt)) index.set(name, meta)
  for (const key of unusable) await store.delete(key)
  if (unusable.length > 0) log.warn('unusable records were removed', { count: unusable.length })
}

/** Not what another node can rightly see otherwise: its clock may differ, and it may know a hub's members. */
function isPeerFault(error: unknown): boolean {
  if (!(error instanceof ProtocolError) || error instanceof MembersError) return false
  return !/(^|\.)(issued|expires)$/.test(error.field)
}
