import { MAX_RECORDS, MAX_RECORDS_PER_PEER, MAX_RECORDS_PER_SIGNER, RECORD_LIFE_MS } from '../constants.ts'

/** The owner of records that this node put or relies on: they count for no peer, and are not evicted. */
export const OURS = ''

/**
 * What is known of a record without reading it. `placer`: the peer that put it, or OURS; `second`: the peer that put it after that,
 * and is charged for it when the first is to lose it. So a flooder that also puts others' records evicts none of them.
 * Times are ms.
 */
export type RecordMeta = {
  readonly signer: string
  readonly placer: string
  readonly second?: string | undefined
  readonly receivedAt: number
  readonly expiresAt: number
}

/** Which records there are, and how many each signer and placer has. Of a placer, those put longest ago come first. */
export function createRecordIndex() {
  const records = new Map<string, RecordMeta>()
  const placed = new Map<string, Set<string>>()
  const signed = new Map<string, number>()
  const countOf = (placer: string) => (placer === OURS ? 0 : (placed.get(placer)?.size ?? 0))

  const remove = (name: string) => {
    const meta = records.get(name)
    if (meta === undefined) return
    records.delete(name)
    const names = placed.get(meta.placer)
    names?.delete(name)
    if (names?.size === 0) placed.delete(meta.placer)
    const left = (signed.get(meta.signer) ?? 0) - 1
    if (left > 0) signed.set(meta.signer, left)
    else signed.delete(meta.signer)
  }
  const set = (name: string, meta: RecordMeta) => {
    remove(name)
    records.set(name, meta)
    const names = placed.get(meta.placer) ?? new Set()
    placed.set(meta.placer, names.add(name))
    signed.set(meta.signer, (signed.get(meta.signer) ?? 0) + 1)
  }

  return {
    get size() {
      return records.size
    },
    get: (name: string) => records.get(name),
    set,
    remove,
    /** Why a record that is not there yet may not come in, even below the total limit. */
    refusal({ signer, placer }: Pick<RecordMeta, 'signer' | 'placer'>): string | undefined {
      if (placer === OURS) return undefined
      if (countOf(placer) >= MAX_RECORDS_PER_PEER) return 'too many records placed by one peer'
      if ((signed.get(signer) ?? 0) >= MAX_RECORDS_PER_SIGNER) return 'too many records of one signer'
      return undefined
    },
    full: () => records.size >= MAX_RECORDS,
    /** The oldest record of the peer with most, the new one included. */
    evictionCandidate(coming: string): string | undefined {
      let heaviest: { placer: string; count: number } | undefined
      for (const [placer, names] of placed) {
        if (placer === OURS) continue
        const count = names.size + (placer === coming ? 1 : 0)
        if (heaviest === undefined || count > heaviest.count) heaviest = { placer, count }
      }
      return heaviest === undefined ? undefined : placed.get(heaviest.placer)?.values().next().value
    },
    /** Records whose time is over. */
    *expired(nowMs: number): Iterable<string> {
      for (const [name, meta] of records) if (isExpired(meta, nowMs)) yield name
    },
  }
}

export function isExpired({ expiresAt, receivedAt }: RecordMeta, nowMs: number): boolean {
  return expiresAt <= nowMs || receivedAt + RECORD_LIFE_MS <= nowMs
}

/** The peer that is charged for a record that `placer` puts again. */
export function mergePlacers(held: RecordMeta, placer: string): Pick<RecordMeta, 'placer' | 'second'> {
  if (held.placer === OURS || placer === OURS) return { placer: OURS }
  const second = held.second ?? (placer === held.placer ? undefined : placer)
  return { placer: held.placer, ...(second === undefined ? {} : { second }) }
}
