import { codeId } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { MAX_MANIFEST_BYTES } from '../../../protocols/limits.ts'
import type { Clock } from '../../base/clock.ts'
import { formatBytes } from '../../base/format.ts'
import { TooLargeError, WrongBytesError } from '../errors.ts'
import type { CodeStore, PartialCode, Signalled } from '../types.ts'
import { createPlan, type Plan } from './chunk-picker.ts'

export type Target = { readonly partial: PartialCode; readonly plan: Plan }

export type TransferComponents = { readonly clock: Clock; readonly store: Pick<CodeStore, 'resume' | 'begin'> }

export type TransferInit = {
  readonly code: CID
  /** More is not fetched. */
  readonly maxBytes?: number | undefined
  readonly onLanded: (target: Target) => void
}

/** One code on its way into the store: unknown until somebody brings its manifest, complete when every chunk is there. */
export interface Transfer extends AsyncDisposable {
  readonly target: Target | undefined
  /** Resolves when every chunk is on the disk; rejects with what `fail` was told. */
  readonly complete: Promise<void>
  /** Takes up what an earlier fetch has left. */
  resume(options: Signalled): Promise<void>
  /** Takes a manifest; only the first one counts. Throws WrongBytesError where it is not the code's. */
  begin(manifest: Uint8Array): Promise<Target>
  landed(index: number): void
  fail(reason: unknown): void
  /** Resolves when no manifest is being taken any more. */
  settled(): Promise<void>
}

export function createTransfer({ clock, store }: TransferComponents, init: TransferInit): Transfer {
  const { code, maxBytes, onLanded } = init
  const complete = Promise.withResolvers<void>()
  let beginning: Promise<Target> | undefined
  let target: Target | undefined
  // whoever waits for it hears of it; nobody may wait yet
  complete.promise.catch(() => {})

  async function aim(partial: PartialCode): Promise<Target> {
    const { size, chunks } = partial.manifest
    if (maxBytes !== undefined && size > maxBytes) {
      await partial.discard()
      throw new TooLargeError(`the code has ${formatBytes(size)}; at most ${formatBytes(maxBytes)} are allowed`)
    }
    target = { partial, plan: createPlan(clock, chunks.length, partial.has) }
    if (target.plan.done) complete.resolve()
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
      beginning = aim(partial)
      await beginning
    },
    async begin(manifest) {
      if (manifest.byteLength > MAX_MANIFEST_BYTES || !codeId(manifest).equals(code)) {
        throw new WrongBytesError('the manifest is not the one that the code is named after')
      }
      beginning ??= store.begin(code, manifest).then(aim)
      return beginning
    },
    landed(index) {
      if (target === undefined) return
      target.plan.landed(index)
      onLanded(target)
      if (target.plan.done) complete.resolve()
    },
    fail: complete.reject,
    async settled() {
      await beginning?.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      await target?.partial[Symbol.asyncDispose]()
    },
  }
}
