import type { AnnouncementRecord, AnnouncementState, Via } from './announcement-record.ts'

/** The columns of a whole record, named as they come back. */
export const COLUMNS = `id, kind, author, name, seq, body, sig, code, depth, proof, issued, expires,
  received_at AS receivedAt, via, from_peer AS fromPeer, own, redirect, emitted_depth AS emittedDepth, state,
  over_by AS endedBy, follows AS predecessor`

export type AnnouncementRow = {
  id: string
  kind: 'service' | 'stop'
  author: Uint8Array
  name: string
  seq: number
  body: Uint8Array
  sig: Uint8Array
  code: string | null
  depth: number
  proof: Uint8Array
  issued: number
  expires: number
  receivedAt: number
  via: Via
  fromPeer: string | null
  own: number
  redirect: number | null
  emittedDepth: number | null
  state: AnnouncementState
  endedBy: string | null
  predecessor: string | null
}

export function recordOf({ fromPeer, ...row }: AnnouncementRow): AnnouncementRecord {
  return {
    ...row,
    code: row.code ?? undefined,
    from: fromPeer ?? undefined,
    own: row.own === 1,
    redirect: row.redirect === null ? undefined : row.redirect === 1,
    emittedDepth: row.emittedDepth ?? undefined,
    endedBy: row.endedBy ?? undefined,
    predecessor: row.predecessor ?? undefined,
  }
}
