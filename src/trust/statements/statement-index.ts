import { type CID, sha256 } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { statementId } from '../../../protocols/statement.ts'
import { BoundedMap } from '../../base/queue.ts'
import { DECODED, SHELVES_AT_HAND } from '../constants.ts'
import { type Link, linkOf } from '../tree/tree.ts'
import type { KeptStatement, StatementShelf } from '../types.ts'
import { type Entry, entryOf, keyOf } from './indexed-statement.ts'

/** The statements that stand, decoded; what is often asked for stays at hand. */
export interface Book {
  /** Answers the entry where it stands now and did not before. */
  put(kept: KeptStatement): Entry | undefined
  get(subject: string): Entry | undefined
  has(id: CID): boolean
  byId(id: CID): Entry | undefined
  attestationsOf(code: string): readonly Entry[]
  freezesOf(address: Uint8Array): readonly Entry[]
  /** By their issuers. `version` is another one when they have changed. */
  links(): {
    readonly byIssuer: ReadonlyMap<string, readonly Link[]>
    readonly count: number
    readonly version: number
  }
  own(): Entry[]
  /** In byte order of their ids, those after `after` that are alive (seconds) and that `wanted` takes. */
  list(after: CID | undefined, max: number, aliveAt: number, wanted: (entry: Entry) => boolean): Entry[]
  newest(max: number, signer?: Uint8Array): Entry[]
  setPut(subject: string, atMs: number): void
  prune(nowMs: number, max: number): number
}

export function createBook({ shelf }: { shelf: StatementShelf }): Book {
  const codes = new BoundedMap<string, readonly Entry[]>(SHELVES_AT_HAND)
  const addresses = new BoundedMap<string, readonly Entry[]>(SHELVES_AT_HAND)
  const decoded = new BoundedMap<string, Entry>(DECODED)
  let byIssuer: Map<string, Link[]> | undefined
  let version = 0
  let count = 0

  function entry(kept: KeptStatement): Entry {
    const key = keyOf(sha256(kept.encoded))
    const known = decoded.get(key)
    // what is decoded stays so; when it was put, and whose it is, may change
    const fresh = known === undefined ? entryOf(kept) : { ...known, ...kept }
    decoded.set(key, fresh)
    return fresh
  }

  /** What an older version kept, and the wire's rules refuse by now, is as good as not kept. */
  function readable(kept: KeptStatement): Entry[] {
    try {
      return [entry(kept)]
    } catch (error) {
      if (error instanceof ProtocolError) return []
      throw error
    }
  }

  /** What is at hand of a subject is as it is kept. */
  function refresh(subject: string): void {
    const kept = shelf.get(subject)
    const [one] = kept === undefined ? [] : readable(kept)
    if (one === undefined) return
    const { kind, body } = one.statement
    if (kind === 'attestation') codes.delete(body.code.toString())
    else if (kind === 'freeze') addresses.delete(keyOf(body.address))
    else hang(one)
  }

  function hang(one: Entry): void {
    const link = linkOf(one)
    if (link === undefined || byIssuer === undefined) return
    version++
    const before = byIssuer.get(link.issuer) ?? []
    const others = before.filter(({ subject }) => subject !== link.subject)
    count += others.length + 1 - before.length
    byIssuer.set(link.issuer, [...others, link])
  }

  function links(): Map<string, Link[]> {
    if (byIssuer !== undefined) return byIssuer
    byIssuer = new Map()
    count = 0
    version++
    for (const one of shelf.delegations().flatMap(readable)) hang(one)
    return byIssuer
  }

  function list(after: CID | undefined, max: number, aliveAt: number, wanted: (entry: Entry) => boolean): Entry[] {
    const found: Entry[] = []
    for (let last = after; found.length < max; ) {
      const page = shelf.list(last, max, aliveAt)
      for (const kept of page) {
        last = statementId(kept.encoded)
        for (const one of readable(kept)) if (found.length < max && wanted(one)) found.push(one)
      }
      if (page.length < max) break
    }
    return found
  }

  const one = (kept: KeptStatement | undefined) => (kept === undefined ? undefined : readable(kept)[0])
  return {
    put(kept) {
      const stands = shelf.put(kept)
      const fresh = entry(kept)
      refresh(fresh.subject)
      return stands ? fresh : undefined
    },
    get: (subject) => one(shelf.get(subject)),
    has: (id) => shelf.byId(id) !== undefined,
    byId: (id) => one(shelf.byId(id)),
    attestationsOf(code) {
      const known = codes.get(code)
      if (known !== undefined) return known
      const read = shelf.attestationsOf(code).flatMap(readable)
      codes.set(code, read)
      return read
    },
    freezesOf(address) {
      const key = keyOf(address)
      const known = addresses.get(key)
      if (known !== undefined) return known
      const read = shelf.freezesOf(address).flatMap(readable)
      addresses.set(key, read)
      return read
    },
    links: () => ({ byIssuer: links(), count, version }),
    own: () => shelf.own().flatMap(readable),
    list,
    newest: (max, signer) => shelf.newest(max, signer).flatMap(readable),
    setPut(subject, atMs) {
      shelf.setPut(subject, atMs)
      refresh(subject)
    },
    prune(nowMs, max) {
      const gone = shelf.prune(nowMs, max)
      if (gone === 0) return 0
      byIssuer = undefined
      for (const map of [codes, addresses]) for (const [key] of [...map.entries()]) map.delete(key)
      return gone
    },
  }
}
