import { ProtocolError } from '../../../protocols/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { LruMap } from '../../base/lru-map.ts'
import { MAX_FAILURES_NAMED } from '../constants.ts'
import {
  BadArchiveError,
  DiskFullError,
  HashMismatchError,
  InUseError,
  StoreFullError,
  TooLargeError,
} from '../errors.ts'

const FATAL = [BadArchiveError, DiskFullError, InUseError, StoreFullError, TooLargeError]

/** Another provider cannot mend it. */
export function isFatal(error: unknown): boolean {
  return FATAL.some((kind) => error instanceof kind)
}

/** The provider sent what the hashes or the protocol rule out: it is scored, and not asked again. */
export function isInvalidData(error: unknown): boolean {
  return error instanceof HashMismatchError || error instanceof ProtocolError
}

/** What went wrong with the last few providers that failed, by the peer's id: names are free, so no more are remembered. */
export type ProviderFailures = LruMap<string, string>

export function createProviderFailures(): ProviderFailures {
  return new LruMap(MAX_FAILURES_NAMED)
}

/** `what`: "the code bafy...". */
export function noProviderMessage(what: string, failures: ProviderFailures): string {
  if (failures.size === 0) return `no peer was found that has ${what}`
  const named = [...failures.entries()].map(([peer, problem]) => `${sanitizeText(peer, 60)}: ${problem}`)
  return `no peer has ${what} (${named.join('; ')})`
}
