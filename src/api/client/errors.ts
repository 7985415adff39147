import { AccessError, InputError, NotFoundError, ThundercloudError, UnavailableError } from '../../base/errors.ts'

/** Nobody answers where the API should be. */
export class NoDaemonError extends UnavailableError {
  override readonly name = 'NoDaemonError'
}

/** The node failed, or answered what this version does not understand. */
export class ApiError extends ThundercloudError {
  override readonly name = 'ApiError'
}

/** The failure that a status stands for, as whoever asked would have met it in the node itself. */
export function errorOfStatus(status: number, message: string): Error {
  if (status === 401 || status === 403) return new AccessError(message)
  if (status === 404) return new NotFoundError(message)
  if (status === 429 || status === 503) return new UnavailableError(message)
  if (status >= 400 && status < 500) return new InputError(message)
  return new ApiError(message)
}
