import type { Backoff } from '../base/retry.ts'

/** Codes that wait to be scanned. What does not fit into the queue is found again by the next poll. */
export const MAX_WAITING = 1024
/** How often all known services are polled: for those that did not fit into the queue, and for attestations that expire. */
export const POLL_MS = 10 * 60_000
/** An attestation is renewed in the last tenth of its time, and in the last day at the latest. */
export const RENEW_FRACTION = 10
export const RENEW_SECONDS = 24 * 3600
/** Two polls, so that an attestation that is valid for an hour does not end between them. */
export const MIN_RENEW_SECONDS = (2 * POLL_MS) / 1000

/** A scanner that fails may be short of memory, or in the middle of an update of its signatures. */
export const RETRY_BACKOFF: Backoff = { firstMs: 30_000, maxMs: 60 * 60_000, factor: 4 }
/** Attempts at one code in a row; with the back-off, about two hours. Then it is left alone. */
export const MAX_FAILURES = 5
/** How long a code is left alone that could not be examined. */
export const SKIP_SECONDS = 24 * 3600
/** Codes and services that are remembered as not attested. */
export const MAX_REMEMBERED = 8192

/** How long code may take to come here; it is tried again like any failure. */
export const OBTAIN_TIMEOUT_MS = 10 * 60_000

/** Findings that are kept of one scanner, and characters of each. */
export const MAX_FINDINGS = 32
export const MAX_FINDING = 300
