import { ProtocolError } from '../../protocols/errors.ts'
import {
  AccessError,
  ConflictError,
  InputError,
  NotFoundError,
  ThundercloudError,
  UnavailableError,
} from '../base/errors.ts'
import { QueueFullError } from '../base/work-queue.ts'
import { DiskFullError, StoreFullError, TooLargeError } from '../code/errors.ts'
import { RunnerError } from '../runner/index.ts'

/** A failure that has a status of its own in HTTP. */
export class HttpProblem extends ThundercloudError {
  override readonly name = 'HttpProblem'
  readonly status: number
  /** a code and a next step of its own, instead of its status's */
  readonly more: { readonly code?: string; readonly fix?: string }

  constructor(status: number, message: string, options: ErrorOptions & { code?: string; fix?: string } = {}) {
    super(message, options)
    this.status = status
    const { code, fix } = options
    this.more = { ...(code === undefined ? {} : { code }), ...(fix === undefined ? {} : { fix }) }
  }
}

/** The status that tells a client what kind of failure it was; 500 = ours, and its text is not for clients. */
export function statusOf(error: unknown): number {
  if (error instanceof HttpProblem) return error.status
  if (error instanceof TooLargeError) return 413
  if (error instanceof StoreFullError || error instanceof DiskFullError) return 507
  if (error instanceof ConflictError) return 409
  if (error instanceof InputError || error instanceof ProtocolError) return 400
  // the operator's module cannot be loaded, and the sentence says why: nothing is wrong with the node
  if (error instanceof RunnerError && error.kind === 'load') return 400
  if (error instanceof AccessError) return 403
  if (error instanceof NotFoundError) return 404
  if (error instanceof QueueFullError) return 429
  if (error instanceof UnavailableError) return 503
  return 500
}
