import { AccessError, InputError, NotFoundError, ThundercloudError, UnavailableError } from '../../base/errors.ts'

/** There is no answer at the API's address. */
export class NoDaemonError extends UnavailableError {
  override readonly name = 'NoDaemonError'
}

/** The node failed, or answered what this version does not understand. */
export class ApiError extends ThundercloudError {
  override readonly name = 'ApiError'
}

/** The error that a status denotes, as the node itself would have thrown it. */
export function errorOfStatus(status: number, message: string): Error {
  if (status === 401 || status === 403) return new AccessError(message)
  if (status === 404) return new NotFoundError(message)
  if (status === 429 || status === 503) return new UnavailableError(message)
  if (status >= 400 && status < 500) return new InputError(message)
  return new ApiError(message)
}
