import { InputError, UnavailableError } from '../../../base/errors.ts'
import type { FetchFailure } from './job.ts'

/** The source answers, and what it has cannot be code: asking again changes nothing. */
export class UnusableSourceError extends InputError {
  override readonly name: string = 'UnusableSourceError'
}

/** There is nothing at that address. */
export class NotFoundError extends UnusableSourceError {
  override readonly name = 'NotFoundError'
}

/** The source wants to know who asks; `challenge`: how it says that one may find out; `from`: who said so, after redirects. */
export class UnauthorizedError extends UnusableSourceError {
  readonly challenge: string
  readonly from: URL

  constructor(message: string, challenge: string, from: URL) {
    super(message)
    this.challenge = challenge
    this.from = from
  }
}

/** The source does not answer as it should; it may later. */
export class SourceUnavailableError extends UnavailableError {
  override readonly name = 'SourceUnavailableError'
}

/** How the downloading process says that it failed. */
export class FetchFailedError extends UnavailableError {
  override readonly name = 'FetchFailedError'
  readonly why: FetchFailure

  constructor(why: FetchFailure, message: string) {
    super(message)
    this.why = why
  }
}

/** Of this machine, and not of what was read: a full disk above all. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
