import { MAX_RECORDS, MAX_RECORDS_PER_PEER, MAX_RECORDS_PER_SIGNER, RECORD_LIFE_MS } from '../constants.ts'

/** Whose a record is that this node put or relies on: it counts for no peer, and nobody pushes it out. */
export const OURS = ''

/**
 * What is known of a record without reading it. `placer`: the peer that put it, or OURS; `second`: who put it after that,
 * and answers for it when the first is to lose it. So a flooder that puts others' records as well takes none with it.
 * Times are ms.
 */
export type Slot = {
  readonly signer: string
  readonly placer: string
  readonly second?: string | undefined
  readonly receivedAt: number
  readonly expiresAt: number
}

/** Which records there are, and who takes how much room. Of a placer, those put longest ago come first. */
export function createRoom() {
  const slots = new Map<string, Slot>()
  const placed = new Map<string, Set<string>>()
  const signed = new Map<string, number>()
  const countOf = (placer: string) => (placer === OURS ? 0 : (placed.get(placer)?.size ?? 0))

  const remove = (name: string) => {
    const slot = slots.get(name)
    if (slot === undefined) return
    slots.delete(name)
    const names = placed.get(slot.placer)
    names?.delete(name)
    if (names?.size === 0) placed.delete(slot.placer)
    const left = (signed.get(slot.signer) ?? 0) - 1
    if (left > 0) signed.set(slot.signer, left)
    else signed.delete(slot.signer)
  }
  const set = (name: string, slot: Slot) => {
    remove(name)
    slots.set(name, slot)
    const names = placed.get(slot.placer) ?? new Set()
    placed.set(slot.placer, names.add(name))
    signed.set(slot.signer, (signed.get(slot.signer) ?? 0) + 1)
  }

  return {
    get size() {
      return slots.size
    },
    get: (name: string) => slots.get(name),
    set,
    remove,
    /** Why a record that is not there yet may not come in, whatever room there is. */
    refusal({ signer, placer }: Pick<Slot, 'signer' | 'placer'>): string | undefined {
      if (placer === OURS) return undefined
      if (countOf(placer) >= MAX_RECORDS_PER_PEER) return 'too many records placed by one peer'
      if ((signed.get(signer) ?? 0) >= MAX_RECORDS_PER_SIGNER) return 'too many records of one signer'
      return undefined
    },
    full: () => slots.size >= MAX_RECORDS,
    /** The oldest record of who placed most, with the one that is to come. */
    victim(coming: string): string | undefined {
      let heaviest: { placer: string; count: number } | undefined
      for (const [placer, names] of placed) {
        if (placer === OURS) continue
        const count = names.size + (placer === coming ? 1 : 0)
        if (heaviest === undefined || count > heaviest.count) heaviest = { placer, count }
      }
      return heaviest === undefined ? undefined : placed.get(heaviest.placer)?.values().next().value
    },
    /** Records whose time is over. */
    *over(nowMs: number): Iterable<string> {
      for (const [name, slot] of slots) if (isOver(slot, nowMs)) yield name
    },
  }
}

export function isOver({ expiresAt, receivedAt }: Slot, nowMs: number): boolean {
  return expiresAt <= nowMs || receivedAt + RECORD_LIFE_MS <= nowMs
}

/** Who answers for a record that `placer` puts again. */
export function placersOf(held: Slot, placer: string): Pick<Slot, 'placer' | 'second'> {
  if (held.placer === OURS || placer === OURS) return { placer: OURS }
  const second = held.second ?? (placer === held.placer ? undefined : placer)
  return { placer: held.placer, ...(second === undefined ? {} : { second }) }
}
