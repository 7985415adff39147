import { ProtocolError } from '../../../protocols/errors.ts'
import { sanitizeText } from '../../base/format.ts'
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

/** `what`: "the code bafy...". `failures`: what went wrong, by the peer's id. */
export function noProviderMessage(what: string, failures: ReadonlyMap<string, string>): string {
  if (failures.size === 0) return `no peer was found that has ${what}`
  const named = [...failures]
    .slice(-MAX_FAILURES_NAMED)
    .map(([peer, problem]) => `${sanitizeText(peer, 60)}: ${problem}`)
  return `no peer has ${what} (${named.join('; ')})`
}
