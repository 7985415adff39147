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

  constructor(code: string) {
    super(`the gateway of the run does not accept connections (${code})`)
  }
}
