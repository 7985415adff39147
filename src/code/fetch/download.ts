import { codeId } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { MAX_MANIFEST_BYTES } from '../../../protocols/limits.ts'
import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import type { Rng } from '../../base/rng.ts'
import { HashMismatchError, TooLargeError } from '../errors.ts'
import type { AbortOptions, CodeStore, PartialCode } from '../types.ts'
import { type ChunkPicker, createChunkPicker } from './chunk-picker.ts'

export type Target = { readonly partial: PartialCode; readonly picker: ChunkPicker }

export type DownloadComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly store: Pick<CodeStore, 'resume' | 'begin'>
}

export type DownloadInit = {
  readonly code: CID
  /** More is not fetched. */
  readonly maxBytes?: number | undefined
  readonly onChunkStored: (target: Target) => void
}

/** One download into the store: unknown until the manifest arrives, complete with its last chunk. */
export interface Download extends AsyncDisposable {
  readonly target: Target | undefined
  /** Resolves when every chunk is on the disk; rejects with the error given to `fail`. */
  readonly complete: Promise<void>
  /** Takes up what an earlier fetch has left. */
  resume(options: AbortOptions): Promise<void>
  /** Takes a manifest; only the first one counts. Throws HashMismatchError where it is not the code's. */
  begin(manifest: Uint8Array): Promise<Target>
  chunkStored(index: number): void
  fail(reason: unknown): void
  /** Resolves when no manifest is being taken any more. */
  onIdle(): Promise<void>
}

export function createDownload({ clock, rng, store }: DownloadComponents, init: DownloadInit): Download {
  const { code, maxBytes, onChunkStored } = init
  const complete = Promise.withResolvers<void>()
  let beginning: Promise<Target> | undefined
  let target: Target | undefined
  // waiters receive the rejection; there may be none yet
  complete.promise.catch(() => {})

  async function setTarget(partial: PartialCode): Promise<Target> {
    const { size, chunks } = partial.manifest
    if (maxBytes !== undefined && size > maxBytes) {
      await partial.discard()
      throw new TooLargeError(`the code has ${formatBytes(size)}; at most ${formatBytes(maxBytes)} are allowed`)
    }
    target = { partial, picker: createChunkPicker({ clock, rng }, chunks.length, partial.has) }
    if (target.picker.done) complete.resolve()
    return target
  }

  return {
    complete: complete.promise,
    get target() {
      return target
    },
    async resume(options) {
      const partial = await store.resume(code, options)
      if (partial === undefined) return
      beginning = setTarget(partial)
      await beginning
    },
    async begin(manifest) {
      if (manifest.byteLength > MAX_MANIFEST_BYTES || !codeId(manifest).equals(code)) {
        throw new HashMismatchError('the manifest is not the one that the code is named after')
      }
      beginning ??= store.begin(code, manifest).then(setTarget)
      return beginning
    },
    chunkStored(index) {
      if (target === undefined) return
      target.picker.completed(index)
      onChunkStored(target)
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
