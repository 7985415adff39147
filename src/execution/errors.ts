import { ThundercloudError, UnavailableError } from '../base/errors.ts'

/** This cannot run here, now or later, unless the operator changes something; the message says what. */
export class RunRefusedError extends ThundercloudError {
  override readonly name = 'RunRefusedError'
}

/** Too much is running; it fits again when something ends. */
export class NoCapacityError extends UnavailableError {
  override readonly name = 'NoCapacityError'
}

/** The engine, or its counterpart in another executor, does not answer. Its runs may still run. */
export class EngineGoneError extends UnavailableError {
  override readonly name = 'EngineGoneError'
}

/** The gateway of a run does not accept connections; `code` says how that was seen. */
export class GatewayUnreachableError extends UnavailableError {
  override readonly name = 'GatewayUnreachableError'

  /** of the system; ENOENT where there is no socket (yet) */
  readonly code: string

  constructor(code: string) {
    super(`the gateway of the run does not accept connections (${code})`)
    this.code = code
  }
}

/** A build failed, by what it did. */
export class BuildFailedError extends ThundercloudError {
  override readonly name = 'BuildFailedError'
  /** It may have been ended from outside: this says nothing of the next attempt. */
  readonly isPassing: boolean

  constructor(message: string, { isPassing = false } = {}) {
    super(message)
    this.isPassing = isPassing
  }
}
