import type { Signed } from '../../protocols/announcement.ts'
import type { Ticket } from '../../protocols/redirection.ts'

/** How an announcement came in: from the mesh, from a neighbour's memory, over HTTP, or made here. */
export type Via = 'gossip' | 'sync' | 'api' | 'local'
/** live, or over: by a newer version, or by a stop. */
export type AnnouncementState = 'live' | 'superseded' | 'stopped'

/** One verified service or stop, as this node remembers it. `issued` and `expires` in seconds, `receivedAt` in ms. */
export type AnnouncementRecord = {
  readonly id: string
  readonly kind: 'service' | 'stop'
  readonly author: Uint8Array
  readonly name: string
  readonly seq: number
  readonly body: Uint8Array
  readonly sig: Uint8Array
  /** the code's CID; stops have none */
  readonly code?: string | undefined
  /** the best ticket received */
  readonly depth: number
  readonly proof: Uint8Array
  readonly issued: number
  readonly expires: number
  readonly receivedAt: number
  readonly via: Via
  readonly from?: string | undefined
  /** published by this node: emitted undiminished */
  readonly own: boolean
  /** undefined until decided */
  readonly redirect?: boolean | undefined
  /** the highest depth that this node has emitted */
  readonly emittedDepth?: number | undefined
  readonly state: AnnouncementState
  /** the newer version or the stop that ended it */
  readonly endedBy?: string | undefined
  /** the version that was current when this one came */
  readonly predecessor?: string | undefined
}

/** The record of a new, live announcement. */
export function announcementRecord(
  signed: Signed,
  { depth, proof }: Ticket,
  origin: Pick<AnnouncementRecord, 'receivedAt' | 'via' | 'from' | 'own' | 'redirect' | 'predecessor'>,
): AnnouncementRecord {
  const { author, name, seq, issued, expires } = signed.body
  return {
    ...origin,
    id: signed.id.toString(),
    kind: signed.kind,
    author,
    name,
    seq,
    body: signed.bytes,
    sig: signed.sig,
    code: signed.kind === 'service' ? signed.body.code.toString() : undefined,
    depth,
    proof,
    issued,
    expires,
    state: 'live',
  }
}
