import { CommanderError } from 'commander'
import { ProtocolError } from '../../protocols/errors.ts'
import {
  InputError,
  messageOf,
  originalError,
  ThundercloudError,
  TimeoutError,
  UnavailableError,
} from '../base/errors.ts'

export const EXIT = { ok: 0, failure: 1, input: 2, unreachable: 3, timeout: 4 } as const

/** The person, or the system, asked the program to end. */
export class InterruptedError extends ThundercloudError {
  override readonly name = 'InterruptedError'
  readonly exitCode: number

  constructor(what: string, exitCode: number) {
    super(what)
    this.exitCode = exitCode
  }
}

/** The command failed, and not through a fault of the program: one sentence, no stack. */
export class FailedError extends ThundercloudError {
  override readonly name = 'FailedError'
}

/** Something came about that has an exit code of its own. One sentence, no stack. */
export class OutcomeError extends ThundercloudError {
  override readonly name = 'OutcomeError'
  readonly exitCode: number

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

export function exitCodeOf(thrown: unknown): number {
  const error = originalError(thrown)
  if (error instanceof InterruptedError || error instanceof OutcomeError) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input
  if (error instanceof InputError || error instanceof ProtocolError) return EXIT.input
  if (error instanceof TimeoutError) return EXIT.timeout
  if (error instanceof UnavailableError) return EXIT.unreachable
  return EXIT.failure
}

/** One sentence for what was to be expected; a stack for what was not. */
export function describeError(thrown: unknown): string {
  const error = originalError(thrown)
  const expected =
    error instanceof ThundercloudError || error instanceof ProtocolError || error instanceof CommanderError
  if (expected)
    return messageOf(error)
      .replace(/^error: /, '')
      .replaceAll('\n', ' ')
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
