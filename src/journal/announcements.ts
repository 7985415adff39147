import { parseCid, sha256 } from '../../protocols/encoding.ts'
import type { AnnouncementRecord, AnnouncementState } from './announcement-record.ts'
import { type AnnouncementRow, COLUMNS, recordOf } from './announcement-row.ts'
import type { Sql } from './sql.ts'

/** What a neighbour may be offered. */
export type SharedAnnouncement = { readonly id: string; readonly depth: number; readonly own: boolean }

/** How far an announcement has travelled here; a small part of the whole record. */
export type ForwardingRecord = Pick<AnnouncementRecord, 'depth' | 'own' | 'redirect' | 'state'>

export interface AnnouncementStore {
  /** False where the id is known already; nothing changes then. */
  insert(record: AnnouncementRecord): boolean
  get(id: string): AnnouncementRecord | undefined
  has(id: string): boolean
  /** Whether it is still live, and which version it replaced; a small part of the whole record. */
  stateOf(id: string): Pick<AnnouncementRecord, 'state' | 'predecessor'> | undefined
  forwardingOf(id: string): ForwardingRecord | undefined
  /** Keeps a better ticket. */
  updateTicket(id: string, ticket: { depth: number; proof: Uint8Array }): void
  setRedirect(id: string, redirect: boolean): void
  /** A verdict and the emission that follows from it, as one. */
  recordVerdict(id: string, redirect: boolean, emittedDepth: number | undefined): void
  /** undefined withdraws an emission that no neighbour received. */
  setEmitted(id: string, depth: number | undefined): void
  setOwn(id: string): void
  /** A newer version or a stop ended it. */
  end(id: string, state: Exclude<AnnouncementState, 'live'>, by: string): void
  /** What is live of one name: the current version, or the stop. */
  liveOf(author: Uint8Array, name: string): { id: string; kind: 'service' | 'stop' }[]
  /** Live services of one author. */
  countLive(author: Uint8Array, nowSeconds: number): number
  /** Is it the code of a live service? */
  hasLiveCode(code: string, nowSeconds: number): boolean
  /** Live services without a decision, oldest first. Reads everything: an index would slow each verdict down. */
  undecided(nowSeconds: number, max: number): AnnouncementRecord[]
  /** Ids of live ones that this node redirects but has not emitted, oldest first. */
  pendingEmission(nowSeconds: number, max: number): string[]
  /** Live ones that this node redirects, with their best depth, after `after` in byte order of the id. */
  shared(after: string | undefined, nowSeconds: number, max: number): SharedAnnouncement[]
  /** Ids that begin so, at most `max`. */
  startingWith(prefix: string, max: number): string[]
  named(name: string): AnnouncementRecord[]
  /** The services that name each code: much quicker than reading all of them. */
  idsByCode(): Map<string, string[]>
  /** Everything, newest first. */
  all(): AnnouncementRecord[]
  count(): number
}

export function announcementStore(sql: Sql): AnnouncementStore {
  const insert = sql.prepare(`
    INSERT INTO announcements (id, digest, kind, author, name, seq, body, sig, code, depth, proof, issued, expires,
      received_at, via, from_peer, own, redirect, emitted_depth, state, over_by, follows)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
  const select = (rest: string) => sql.prepare(`SELECT ${COLUMNS} FROM announcements ${rest}`)
  const get = select('WHERE id = ?')
  const has = sql.prepare('SELECT 1 FROM announcements WHERE id = ?')
  const stateOf = sql.prepare('SELECT state, follows AS predecessor FROM announcements WHERE id = ?')
  const forwardingOf = sql.prepare('SELECT depth, own, redirect, state FROM announcements WHERE id = ?')
  const updateTicket = sql.prepare('UPDATE announcements SET depth = ?, proof = ? WHERE id = ? AND depth < ?')
  const setRedirect = sql.prepare('UPDATE announcements SET redirect = ? WHERE id = ?')
  const recordVerdict = sql.prepare('UPDATE announcements SET redirect = ?, emitted_depth = ? WHERE id = ?')
  const setEmitted = sql.prepare('UPDATE announcements SET emitted_depth = ? WHERE id = ?')
  const setOwn = sql.prepare('UPDATE announcements SET own = 1, redirect = 1 WHERE id = ?')
  const end = sql.prepare('UPDATE announcements SET state = ?, over_by = ? WHERE id = ?')
  const liveOf = sql.prepare(`SELECT id, kind FROM announcements WHERE author = ? AND name = ? AND state = 'live'`)
  const countLive = sql.prepare(
    `SELECT count(*) AS count FROM announcements WHERE author = ? AND state = 'live' AND kind = 'service' AND expires > ?`,
  )
  const liveCode = sql.prepare(`SELECT 1 FROM announcements WHERE code = ? AND state = 'live' AND expires > ? LIMIT 1`)
  const undecided = select(
    `WHERE redirect IS NULL AND state = 'live' AND kind = 'service' AND expires > ? ORDER BY received_at LIMIT ?`,
  )
  const pendingEmission = sql.prepare(
    `SELECT id FROM announcements WHERE redirect = 1 AND state = 'live' AND emitted_depth IS NULL AND expires > ? ORDER BY received_at LIMIT ?`,
  )
  const shared = sql.prepare(
    `SELECT id, depth, own FROM announcements
     WHERE redirect = 1 AND state = 'live' AND digest > ? AND expires > ? ORDER BY digest LIMIT ?`,
  )
  // '{' comes after every letter and digit: a range of the primary key
  const startingWith = sql.prepare(
    "SELECT id FROM announcements WHERE id >= ?1 AND id < ?1 || '{' ORDER BY id LIMIT ?2",
  )
  const named = select('WHERE name = ? ORDER BY received_at DESC')
  const codes = sql.prepare('SELECT id, code FROM announcements WHERE code IS NOT NULL ORDER BY received_at DESC, id')
  const all = select('ORDER BY received_at DESC, id')
  const count = sql.prepare('SELECT count(*) AS count FROM announcements')
  const many = (rows: AnnouncementRow[]) => rows.map(recordOf)
  return {
    insert: (record) =>
      insert.run(
        record.id,
        // an id is the CID of the body
        sha256(record.body),
        record.kind,
        record.author,
        record.name,
        record.seq,
        record.body,
        record.sig,
        record.code ?? null,
        record.depth,
        record.proof,
        record.issued,
        record.expires,
        record.receivedAt,
        record.via,
        record.from ?? null,
        Number(record.own),
        record.redirect === undefined ? null : Number(record.redirect),
        record.emittedDepth ?? null,
        record.state,
        record.endedBy ?? null,
        record.predecessor ?? null,
      ) === 1,
    get: (id) => {
      const row = get.get<AnnouncementRow>(id)
      return row === undefined ? undefined : recordOf(row)
    },
    has: (id) => has.get(id) !== undefined,
    stateOf: (id) => {
      const row = stateOf.get<{ state: AnnouncementState; predecessor: string | null }>(id)
      return row === undefined ? undefined : { state: row.state, predecessor: row.predecessor ?? undefined }
    },
    forwardingOf: (id) => {
      const row = forwardingOf.get<Pick<AnnouncementRow, 'depth' | 'own' | 'redirect' | 'state'>>(id)
      if (row === undefined) return undefined
      const { depth, own, redirect, state } = row
      return { depth, own: own === 1, redirect: redirect === null ? undefined : redirect === 1, state }
    },
    updateTicket: (id, { depth, proof }) => void updateTicket.run(depth, proof, id, depth),
    setRedirect: (id, redirect) => void setRedirect.run(Number(redirect), id),
    recordVerdict: (id, redirect, depth) => void recordVerdict.run(Number(redirect), depth ?? null, id),
    setEmitted: (id, depth) => void setEmitted.run(depth ?? null, id),
    setOwn: (id) => void setOwn.run(id),
    end: (id, state, by) => void end.run(state, by, id),
    liveOf: (author, name) =>
      liveOf.all<{ id: string; kind: 'service' | 'stop' }>(author, name).map((row) => ({ ...row })),
    countLive: (author, nowSeconds) => countLive.get<{ count: number }>(author, nowSeconds)?.count ?? 0,
    hasLiveCode: (code, nowSeconds) => liveCode.get(code, nowSeconds) !== undefined,
    undecided: (nowSeconds, max) => many(undecided.all(nowSeconds, max)),
    pendingEmission: (nowSeconds, max) => pendingEmission.all<{ id: string }>(nowSeconds, max).map(({ id }) => id),
    shared: (after, nowSeconds, max) =>
      shared
        .all<{ id: string; depth: number; own: number }>(
          after === undefined ? new Uint8Array() : parseCid(after).multihash.digest,
          nowSeconds,
          max,
        )
        .map(({ id, depth, own }) => ({ id, depth, own: own === 1 })),
    startingWith: (prefix, max) => startingWith.all<{ id: string }>(prefix, max).map(({ id }) => id),
    named: (name) => many(named.all(name)),
    idsByCode() {
      const ids = new Map<string, string[]>()
      for (const { id, code } of codes.all<{ id: string; code: string }>()) {
        const ofCode = ids.get(code)
        if (ofCode === undefined) ids.set(code, [id])
        else ofCode.push(id)
      }
      return ids
    },
    all: () => many(all.all()),
    count: () => count.get<{ count: number }>()?.count ?? 0,
  }
}
