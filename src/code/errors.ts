import { InputError, ThundercloudError, UnavailableError } from '../base/errors.ts'

/** The bytes are not a canonical archive, or one that this node may not unpack. */
export class BadArchiveError extends InputError {
  override readonly name = 'BadArchiveError'
}

/** The bytes that came are not the ones that were named. The peer sent invalid data, or the disk damaged it. */
export class HashMismatchError extends ThundercloudError {
  override readonly name = 'HashMismatchError'
}

/** The code is larger than the caller allows. */
export class TooLargeError extends InputError {
  override readonly name = 'TooLargeError'
}

/** The store's share of the disk is used up by code that is in use, or `never` holds as much. */
export class StoreFullError extends ThundercloudError {
  override readonly name = 'StoreFullError'
  /** The code of a file system: a caller that waits for disk space also waits for space in the store. */
  readonly code: 'EDQUOT' | undefined

  constructor(message: string, { never = false } = {}) {
    super(message)
    this.code = never ? undefined : 'EDQUOT'
  }
}

/** The disk itself is full, whatever the store's quota. */
export class DiskFullError extends ThundercloudError {
  override readonly name = 'DiskFullError'
  /** The system's code: the unpacker's process met it, and only its message arrives here. */
  readonly code = 'ENOSPC'
}

/** The code is in use and stays. */
export class InUseError extends ThundercloudError {
  override readonly name = 'InUseError'
}

/** No peer that was asked has the code now. */
export class NoProviderError extends UnavailableError {
  override readonly name = 'NoProviderError'
}

/** Other providers were faster; this one did nothing wrong. */
export class SupersededError extends UnavailableError {
  override readonly name = 'SupersededError'
}
