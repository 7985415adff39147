import type { Via } from '../journal/index.ts'

/** Why something well-formed was not accepted. All but `journal` are limits; what can be pulled later is pulled later. */
export type DropReason =
  | 'author-services'
  | 'author-rate'
  | 'author-updates'
  | 'peer-authors'
  | 'queue-full'
  | 'waiting-full'
  | 'missed-full'
  | 'journal'

/** Ids are base32 CIDs, authors addresses as text, `from` a peer id. */
export type IntakeEvents = {
  /** Verified and journalled for the first time. */
  'intake:received': {
    id: string
    kind: 'service' | 'stop'
    author: string
    name: string
    seq: number
    via: Via
    from?: string | undefined
    depth: number
  }
  /** A copy with a strictly better ticket. */
  'intake:better': { id: string; depth: number; from?: string | undefined }
  /** published: by this node; forwarded: a neighbour's equal copy; offered: neighbours pull it, gossip had seen it. */
  'intake:emitted': { id: string; depth: number; how: 'published' | 'forwarded' | 'offered' }
  /** A newer version of the same (author, name) is current now. */
  'intake:superseded': { old: string; by: string }
  /** The author has ended it. `ids`: what this node knew of it; none where the stop came first. */
  'intake:stopped': { author: string; name: string; seq: number; ids: readonly string[] }
  /** Malformed, over a limit, forged: the sender is penalized. The reason is safe to show. */
  'intake:refused': { via: Via; from?: string | undefined; reason: string }
  /** Issued so much later than now that this node's clock, or its author's, is wrong. Its signature was not looked at. */
  'intake:early': { via: Via; from?: string | undefined; aheadMs: number }
  'intake:dropped': { why: DropReason; via: Via; id?: string | undefined; from?: string | undefined }
}
