import { formatBytes } from '../../base/format.ts'
import { HashMismatchError, TooLargeError } from '../errors.ts'
import type { AbortOptions } from '../types.ts'
import type { PartialTransfer, Picker, Target, Transfer, TransferProgress } from './transfer.ts'

export type DownloadInit<P, K> = {
  /** More is not fetched. */
  readonly maxBytes?: number | undefined
  readonly onStored: (target: Target<P, K>) => void
}

/** One download into the store: unknown until the manifest arrives, complete with its last piece. */
export interface Download<P, K> extends TransferProgress<P, K>, AsyncDisposable {
  /** Resolves when all of it is on the disk; rejects with the error given to `fail`. */
  readonly complete: Promise<void>
  /** Takes up what an earlier fetch has left. */
  resume(options: AbortOptions): Promise<void>
  fail(reason: unknown): void
  /** Resolves when no manifest is being taken any more. */
  onIdle(): Promise<void>
}

export function createDownload<P extends PartialTransfer, K extends Picker>(
  transfer: Transfer<P, K>,
  { maxBytes, onStored }: DownloadInit<P, K>,
): Download<P, K> {
  const complete = Promise.withResolvers<void>()
  let beginning: Promise<Target<P, K>> | undefined
  let target: Target<P, K> | undefined
  // waiters receive the rejection; there may be none yet
  complete.promise.catch(() => {})

  async function setTarget(partial: P): Promise<Target<P, K>> {
    const { size } = partial.manifest
    if (maxBytes !== undefined && size > maxBytes) {
      await partial.discard()
      const [is, most] = [size, maxBytes].map(formatBytes)
      throw new TooLargeError(`the ${transfer.noun} has ${is}; at most ${most} are allowed`)
    }
    target = { partial, picker: transfer.createPicker(partial) }
    if (target.picker.done) complete.resolve()
    return target
  }

  return {
    complete: complete.promise,
    get target() {
      return target
    },
    async resume(options) {
      const partial = await transfer.resume(options)
      if (partial === undefined) return
      beginning = setTarget(partial)
      await beginning
    },
    async begin(manifest) {
      // before it counts for all: a provider that lies fails alone
      if (!transfer.isManifest(manifest)) {
        throw new HashMismatchError(`the manifest is not the one that the ${transfer.noun} is named after`)
      }
      beginning ??= transfer.begin(manifest).then(setTarget)
      return beginning
    },
    stored() {
      if (target === undefined) return
      onStored(target)
      if (target.picker.done) complete.resolve()
    },
    fail: complete.reject,
    async onIdle() {
      await beginning?.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      await target?.partial[Symbol.asyncDispose]()
    },
  }
}
