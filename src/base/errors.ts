import { getSystemErrorMessage } from 'node:util'

/**
 * The failures that someone outside may want to tell apart. Each says whether doing the same again can help;
 * retry loops ask it, and there is no list of codes.
 */
export class ThundercloudError extends Error {
  override readonly name: string = 'ThundercloudError'

  shouldRetry(): boolean {
    return false
  }
}

/** A person's input is wrong. The message is one sentence: the field, the value's problem, and what would be right. */
export class InputError extends ThundercloudError {
  override readonly name: string = 'InputError'
}

/** The thing asked for is not there. */
export class NotFoundError extends ThundercloudError {
  override readonly name = 'NotFoundError'
}

/** It is not any more what the asker has seen: to be looked at again. */
export class ConflictError extends ThundercloudError {
  override readonly name = 'ConflictError'
}

/** The asker may not do this. */
export class AccessError extends ThundercloudError {
  override readonly name = 'AccessError'
}

/** Something that may work in a while: a peer gone, an engine starting, a queue full. */
export class UnavailableError extends ThundercloudError {
  override readonly name: string = 'UnavailableError'

  override shouldRetry(): boolean {
    return true
  }
}

/** A time limit passed. */
export class TimeoutError extends UnavailableError {
  override readonly name = 'TimeoutError'
}

/** The part that was asked is being taken down; nothing of it can be had any more. */
export class StoppedError extends ThundercloudError {
  override readonly name = 'StoppedError'
}

/** Does the error itself think that another attempt can help? Errors that do not say are retried. */
export function isRetryable(error: unknown): boolean {
  if (
    typeof error === 'object' &&
    error !== null &&
    'shouldRetry' in error &&
    typeof error.shouldRetry === 'function'
  ) {
    return error.shouldRetry() === true
  }
  return true
}

/** One line for a person, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The same without what programs need alone: "permission denied" instead of "EACCES: permission denied, open '...'". */
export function systemMessageOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
  return typeof errno === 'number' && errno < 0 ? getSystemErrorMessage(errno) : messageOf(error)
}

/** What went wrong first, where closing what was open failed too. */
export function originalError(error: unknown): unknown {
  let first = error
  while (first instanceof SuppressedError) first = first.suppressed
  return first
}

/** `error.code` of Node's own errors ('ENOENT', 'EADDRINUSE', ...). */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** SQLite's result code for a full disk. */
const SQLITE_FULL = 13

/** Is a full disk, or a quota, the cause? Then a retry succeeds only when there is disk space again. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof SuppressedError) return isDiskFull(error.suppressed) || isDiskFull(error.error)
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const code = errnoOf(at)
    if (code === 'ENOSPC' || code === 'EDQUOT') return true
    if ('errcode' in at && typeof at.errcode === 'number' && (at.errcode & 0xff) === SQLITE_FULL) return true
    // engines and programs report the kernel's message only
    if (/no space left on device|ENOSPC|disk quota exceeded/i.test(at.message)) return true
  }
  return false
}

/** Of a chain of certificates that ends with nobody known. */
const UNKNOWN_AUTHORITY =
  /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?)$/

export function isUnknownAuthority(error: unknown): boolean {
  return UNKNOWN_AUTHORITY.test(errnoOf(error) ?? '')
}

/** Why a certificate does not hold. Node.js adds advice, which is for programs that are started with options of node. */
export function certificateReason(error: unknown): string {
  return messageOf(error).split(';')[0] ?? ''
}
