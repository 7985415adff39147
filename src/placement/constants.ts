/** Between the moment a claim can be seen and the question whether it stands: longer than an answer takes to travel. */
export const CLAIM_WAIT_MS = 1_000
/** Between two rounds about one service: this, and up to `ROUND_JITTER_MS` more. */
export const ROUND_MS = 2_000
export const ROUND_JITTER_MS = 1_000
/** A claim asks the next peer when one has not answered for so long: 64 peers that are busy are asked within 4 s. */
export const CLAIM_PATIENCE_MS = 500
/** How long a round waits for an answer before it goes on: the least, and the most where most answers take long. */
export const PATIENCE_MS = { least: 1_000, most: 5_000 }
/** How long an answer is taken. A claim waits so long for the peers that are busy, from the first question that they left unanswered. */
export const ANSWER_MS = 6_000
/** Peers that are remembered because they do not answer. */
export const MAX_SILENT = 1_024
/** A claimant that did not answer in so many rounds in a row does not count. */
export const MISSED_ROUNDS = 2
/** A stand-by that finds a replica missing looks once more before it claims, the later the farther it is. */
export const VACANCY_DELAY_MS = 2_000

/** What is accepted counts until its start is overdue (a build may take 15 minutes), and for the longest back-off of a restart. */
export const ACCEPTED_MS = (15 + 5) * 60_000
/** Time that a peer spent without a claim, until what it spent accepted before is forgotten. */
export const FORGIVEN_AFTER_MS = 10 * 60_000

/** Peers asked about a service in one round, and at once. */
export const MAX_ASKED = 64
export const ASKED_AT_ONCE = 8
/** Rounds at once, and requests to one peer that it has not answered. Claims have rounds of their own: they wait for peers that are busy. */
export const MAX_ROUNDS = { claim: 32, other: 8 }
export const MAX_TO_ONE_PEER = 8
/** Status requests of this node to all peers about all services. */
export const ASKS_PER_SECOND = 40
/** Rounds wait while so much is spent ahead; what waits to start may spend more. */
export const SPENT_AHEAD_MS = { claim: 8_000, other: 1_000 }

/** A run asks everyone so often; in the rounds between, those that claimed, those that asked, and some others. */
export const SWEEP_MS = 15_000
export const OTHERS_PER_ROUND = 4
/** Peers that asked about a service, remembered because they may have a claim on it; some of them are asked back in a round. */
export const MAX_ASKERS = 16
export const ASKED_BACK = 4

/** Peers that came since the last round and are asked before others; more of them have their turn with these. */
export const MAX_FRESH = 16

/** How often the DHT is asked for the providers of a service that is claimed or run, and how many are kept. */
export const LOOKUP_MS = 30_000
export const LOOKUPS_PER_SECOND = 1
export const LOOKUP_TIMEOUT_MS = 5_000
export const MAX_PROVIDERS = 20

/** A claimant that did not answer for so long is no sibling of a run: two rounds, and a bit. */
export const SIBLING_AGE_MS = 9_000
/** Siblings that a run is shown. */
export const MAX_SIBLINGS = 64

/** Peers remembered for one service. */
export const MAX_HEARD = 256

/** A node that knows other nodes waits so long for the first of them before it believes itself alone. */
export const ALONE_AFTER_MS = 10_000
/** A run that kept failing here is not taken over again at once: so long after the first time, doubled each time. */
export const SETBACK_MS = { first: 60_000, most: 30 * 60_000 }

/** How often it is looked which rounds are due. */
export const TICK_MS = 250
