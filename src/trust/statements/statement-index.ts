import { type CID, sha256 } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { statementId } from '../../../protocols/statement.ts'
import { keyOf, LruMap } from '../../base/lru-map.ts'
import { DECODED_CACHE_SIZE, INDEX_CACHE_SIZE } from '../constants.ts'
import { type Link, linkOf } from '../tree/tree.ts'
import type { KeptStatement, StatementStore } from '../types.ts'
import { type IndexedStatement, indexedStatementOf } from './indexed-statement.ts'

/** The statements in force, decoded; frequently used ones are cached. */
export interface StatementIndex {
  /** Returns the entry if it is in force now and was not before. */
  put(kept: KeptStatement): IndexedStatement | undefined
  get(subject: string): IndexedStatement | undefined
  has(id: CID): boolean
  byId(id: CID): IndexedStatement | undefined
  attestationsOf(code: string): readonly IndexedStatement[]
  freezesOf(address: Uint8Array): readonly IndexedStatement[]
  /** By their issuers. `version` is another one when they have changed. */
  links(): {
    readonly byIssuer: ReadonlyMap<string, readonly Link[]>
    readonly count: number
    readonly version: number
  }
  own(): IndexedStatement[]
  /** In byte order of their ids, those after `after` that are alive (seconds) and that `wanted` takes. */
  list(
    after: CID | undefined,
    max: number,
    aliveAt: number,
    wanted: (entry: IndexedStatement) => boolean,
  ): IndexedStatement[]
  latest(max: number, signer?: Uint8Array): IndexedStatement[]
  setRecordPublished(subject: string, atMs: number): void
  prune(nowMs: number, max: number): number
}

export function createStatementIndex({ store }: { store: StatementStore }): StatementIndex {
  const codes = new LruMap<string, readonly IndexedStatement[]>(INDEX_CACHE_SIZE)
  const addresses = new LruMap<string, readonly IndexedStatement[]>(INDEX_CACHE_SIZE)
  const decoded = new LruMap<string, IndexedStatement>(DECODED_CACHE_SIZE)
  let byIssuer: Map<string, Link[]> | undefined
  let version = 0
  let count = 0

  function entry(kept: KeptStatement): IndexedStatement {
    const key = keyOf(sha256(kept.encoded))
    const known = decoded.get(key)
    // what is decoded stays so; when it was put, and whose it is, may change
    const fresh = known === undefined ? indexedStatementOf(kept) : { ...known, ...kept }
    decoded.set(key, fresh)
    return fresh
  }

  /** What an older version kept, and the wire's rules refuse by now, is as good as not kept. */
  function readable(kept: KeptStatement): IndexedStatement[] {
    try {
      return [entry(kept)]
    } catch (error) {
      if (error instanceof ProtocolError) return []
      throw error
    }
  }

  /** The cached entries of a subject equal the stored ones. */
  function refresh(subject: string): void {
    const kept = store.get(subject)
    const [one] = kept === undefined ? [] : readable(kept)
    if (one === undefined) return
    const { kind, body } = one.statement
    if (kind === 'attestation') codes.delete(body.code.toString())
    else if (kind === 'freeze') addresses.delete(keyOf(body.address))
    else addLink(one)
  }

  function addLink(one: IndexedStatement): void {
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
    for (const one of store.delegations().flatMap(readable)) addLink(one)
    return byIssuer
  }

  function list(
    after: CID | undefined,
    max: number,
    aliveAt: number,
    wanted: (entry: IndexedStatement) => boolean,
  ): IndexedStatement[] {
    const found: IndexedStatement[] = []
    for (let last = after; found.length < max; ) {
      const page = store.list(last, max, aliveAt)
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
      const isLatest = store.put(kept)
      const fresh = entry(kept)
      refresh(fresh.subject)
      return isLatest ? fresh : undefined
    },
    get: (subject) => one(store.get(subject)),
    has: (id) => store.byId(id) !== undefined,
    byId: (id) => one(store.byId(id)),
    attestationsOf(code) {
      const known = codes.get(code)
      if (known !== undefined) return known
      const read = store.attestationsOf(code).flatMap(readable)
      codes.set(code, read)
      return read
    },
    freezesOf(address) {
      const key = keyOf(address)
      const known = addresses.get(key)
      if (known !== undefined) return known
      const read = store.freezesOf(address).flatMap(readable)
      addresses.set(key, read)
      return read
    },
    links: () => ({ byIssuer: links(), count, version }),
    own: () => store.own().flatMap(readable),
    list,
    latest: (max, signer) => store.newest(max, signer).flatMap(readable),
    setRecordPublished(subject, atMs) {
      store.setRecordPublished(subject, atMs)
      refresh(subject)
    },
    prune(nowMs, max) {
      const gone = store.prune(nowMs, max)
      if (gone === 0) return 0
      byIssuer = undefined
      for (const map of [codes, addresses]) for (const [key] of [...map.entries()]) map.delete(key)
      return gone
    },
  }
}
