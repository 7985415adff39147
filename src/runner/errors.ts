import { ThundercloudError } from '../base/errors.ts'

/**
 * load: the module is missing, exports nothing, or failed at import. threw: the function threw. timeout: no answer in
 * time. died: the process ended. memory: it used too much. nonsense: the answer is not a verdict. overreach: the verdict
 * grants what is not available or not allowed.
 */
export type RunnerFailure = 'load' | 'threw' | 'timeout' | 'died' | 'memory' | 'nonsense' | 'overreach'

/** The runner failed instead of answering. The service is not run and not redirected, and the failure is not kept. */
export class RunnerError extends ThundercloudError {
  override readonly name = 'RunnerError'
  readonly kind: RunnerFailure

  constructor(kind: RunnerFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }

  /** The next attempt meets a new process or a corrected file; `threw`, `nonsense` and `overreach` are the module's own answer. */
  override shouldRetry(): boolean {
    return this.kind !== 'threw' && this.kind !== 'nonsense' && this.kind !== 'overreach'
  }
}
