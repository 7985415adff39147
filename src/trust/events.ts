/** How a statement came here. */
export type StatementVia = 'gossip' | 'sync' | 'record' | 'staple' | 'api'

/** Addresses as text, codes base32 CIDs, `from` a peer id. */
export type TrustEvents = {
  /** A statement of a signer that is trusted here, kept for the first time. */
  'trust:statement': {
    kind: 'attestation' | 'freeze' | 'delegation'
    signer: string
    /** the code, the address whose funds are frozen, or the subject of a delegation */
    about: string
    /** 'safe', 'unsafe', 'revoked', or an amount and its chain */
    says: string
    seq: number
    via: StatementVia
    from?: string | undefined
  }
  /** What this node knows has changed: by a statement, or by one that expired. */
  'trust:changed': TrustChange
  /** Malformed or forged. The reason is safe to show. */
  'trust:refused': { via: StatementVia; from?: string | undefined; reason: string }
  /** Well-formed, and not accepted: over a quota, out of time, or not written. */
  'trust:dropped': {
    why: 'quota' | 'early' | 'expired' | 'members' | 'journal'
    via: StatementVia
    from?: string | undefined
  }
  /** A lookup in the mesh's records is over. `failed`: some hub's record could not be asked for. */
  'trust:looked-up': { about: string; found: number; failed: number; tookMs: number }
}

export type TrustChange =
  | { readonly on: 'code'; readonly code: string }
  | { readonly on: 'freeze'; readonly address: string; readonly chain: string }
  | { readonly on: 'tree' }
