/** Statements that one node keeps: about 100 MB of journal. A mesh's hubs examine thousands of codes, not millions. */
export const MAX_STATEMENTS = 100_000

/** Links that one delegate may have in the tree; roots have no bound, because the operator trusts them. */
export const LINKS_PER_DELEGATE = 1024
/** Links in all beyond which only roots add some: each change of the tree looks at all of them, about 10 ms for so many. */
export const MAX_LINKS = 32_768

/** Digests whose outcome is remembered, each about 200 bytes: what comes again costs a hash. */
export const REMEMBERED_DIGESTS = 16_384

/** Statements that stay decoded, 2 to 6 KB each. */
export const DECODED_CACHE_SIZE = 8192

/** Codes and addresses whose decoded statements are cached. */
export const INDEX_CACHE_SIZE = 8192

/** Texts of addresses: one can cost a millisecond of curve arithmetic. */
export const ADDRESS_CACHE_SIZE = 8192

/** Delegations whose issuer is not in the tree yet: links of a chain may arrive in any order. Their issuers are unconfirmed. */
export const MAX_ORPHANS = 256

/**
 * Invalid signatures that one peer may cost: a burst, then so many a second. A valid one is refunded,
 * so honest peers are not bounded by it. A BLS signature takes ten times as long as an ed25519 one.
 */
export const SIGNATURE_BUDGET = { burst: 256, perSecond: 32 }
export const BLS_COST = 8
/** Peers whose buckets are remembered; one that comes back after so many others begins again. */
export const MAX_RATE_LIMITED_PEERS = 4096

/** `unsafe` of hubs that are not trusted here, about one code: enough for the hubs of several operators, and again every minute. */
export const UNTRUSTED_RELAY_PER_CODE = { burst: 8, perSecond: 1 / 60 }
/** The same, of one sending peer: a relay forwards what many hubs say, but keys are free. */
export const UNTRUSTED_RELAY_PER_PEER = { burst: 32, perSecond: 0.2 }
/** (hub, code) pairs and codes remembered; the oldest is dropped, so that no signer can block others. */
export const UNTRUSTED_RELAY_KEYS = 8192

/** Records asked for at once, for one code and author. */
export const LOOKUPS_AT_ONCE = 8
/** Records asked for one code and author; those of the heaviest hubs come first. */
export const MAX_LOOKUP_KEYS = 128
/** A decision waits no longer for the mesh's records. */
export const LOOKUP_MS = 3000
/** A record is not asked for again so soon: what changes it arrives by gossip. */
export const LOOKUP_AGAIN_MS = 5 * 60_000
/** A record that could not be asked for is not tried again at once: the mesh may be away. */
export const LOOKUP_RETRY_MS = 15_000

/** What runs and what is parked is looked up again: gossip has no memory, and a revocation must not be missed for long. */
export const IN_USE_LOOKUP_MS = 10 * 60_000
/** Subjects looked up at once in the background. */
export const IN_USE_LOOKUPS_AT_ONCE = 4
/** How long before a statement that is in use ends its renewal is looked for. */
export const RENEWAL_MS = 3 * 60_000

/** How often maintenance runs: renewals, records, statements that no peer took. */
export const TICK_MS = 30_000
/** Records are put again well before the 48 h after which the DHT forgets them. */
export const REPUBLISH_MS = 20 * 3600_000
/** Statements that no peer took are tried again. */
export const REPUBLISH_BACKOFF = { firstMs: 60_000, maxMs: 3600_000 }
/** One attempt to put a record, or to publish. */
export const PUBLISH_TIMEOUT_MS = 10_000
/** Records put in one turn; more wait for the next. */
export const PUTS_PER_TICK = 64
/** After so many failures the mesh is away: the rest waits for a later turn. */
export const FAILURES_IN_A_ROW = 3
export const PRUNE_MS = 3600_000

/** Expiries that are waited for; one that is forgotten is noticed with the next decision. */
export const MAX_PENDING_EXPIRIES = 16_384
