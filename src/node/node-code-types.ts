import type { CodeProvenance } from '../code/index.ts'
import type { ServiceState } from '../services/types.ts'

/** One code as this node has it. Times are whole seconds (UTC). */
export type CodeView = {
  /** its content id */
  readonly code: string
  /** absent: services that are known here name it, and it is not in the store; partial: a fetch was interrupted, or goes on */
  readonly state: 'complete' | 'partial' | 'absent'
  /** of the archive; undefined where it is absent */
  readonly bytes?: number | undefined
  readonly unpacked: boolean
  readonly usedAt?: number | undefined
  /** `gc` leaves it: it is in use, or one of `services` needs it. What is only parked may still be evicted for space. */
  readonly kept: boolean
  readonly provenance?: (Omit<CodeProvenance, 'at'> & { readonly at: number }) | undefined
  /** Services that are known here with this code: those that need it first. */
  readonly services: readonly CodeUse[]
}

export type CodeUse = {
  readonly id: string
  readonly name: string
  readonly author: string
  readonly state: ServiceState
  /** It was published here, runs, is about to, or waits for it. */
  readonly needed: boolean
}

/** What the store of a node holds, and may hold. `files`: also folders and links. */
export type CodeUsage = {
  readonly bytes: number
  readonly maxBytes: number
  readonly files: number
  readonly maxFiles: number
}

export type RemovedCode = { readonly code: string; readonly bytes: number }

/** `damaged`: it is in use, so it stays, and is not served. */
export type CheckedCode = {
  readonly code: string
  readonly bytes: number
  readonly state: 'ok' | 'removed' | 'damaged'
  readonly why?: string | undefined
}

type AbortOptions = { readonly signal?: AbortSignal | undefined }

/**
 * The code store as operators see it. `code` is a content id, or an unambiguous beginning of one with at least 8
 * characters. Methods that take one throw InputError where it is neither, and NotFoundError where it is unknown here.
 */
export interface NodeCode {
  /** What is in the store, last used first. */
  list(): { readonly codes: readonly CodeView[]; readonly usage: CodeUsage }
  /** One of these, or one that only services name. */
  get(code: string): CodeView
  /** Fetches code that is not here: from the mesh, then from the sources of the services that name it. Throws UnavailableError after a minute. */
  fetch(
    code: string,
    options?: AbortOptions & { onProgress?: (progress: { bytes: number; size: number }) => void },
  ): Promise<CodeView>
  /** The canonical tar, once it is verified. It is not removed meanwhile. Throws NotFoundError where the disk has lost a part of it. */
  read(code: string, options?: AbortOptions): Promise<AsyncIterable<Uint8Array>>
  /** Removes all that is not kept; with `dryRun`, only says what that is. */
  gc(options?: { dryRun?: boolean }): Promise<readonly RemovedCode[]>
  /** Reads complete code from the disk, each byte of it; what is damaged and not in use is removed. All of it, or these. */
  verify(codes?: readonly string[], options?: AbortOptions): AsyncIterable<CheckedCode>
}
