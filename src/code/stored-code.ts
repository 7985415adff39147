import type { CID } from '../../protocols/encoding.ts'
import type { CodeOrigin } from './events.ts'

export type AbortOptions = { signal?: AbortSignal | undefined }

export type StoredCode = {
  readonly code: CID
  readonly kind: 'archive' | 'image'
  readonly size: number
  /** false: a fetch was interrupted, and will be resumed when the code is wanted again */
  readonly complete: boolean
  /** what the disk has lost of it, in one sentence; it was complete, and is in use */
  readonly damaged?: string | undefined
  readonly pinned: boolean
  readonly unpacked: boolean
  /** ms since 1970 */
  readonly usedAt: number
  /** undefined where it is not complete, or came with a version that did not note it */
  readonly provenance?: CodeProvenance | undefined
}

/** Where code on this disk came from. It is noted beside the code, so it outlives the process. */
export type CodeProvenance = {
  readonly from: CodeOrigin
  /** which source, where it was not the mesh, this node or the announcement itself */
  readonly source?: string | undefined
  /** what a package index gives to check its file by, where that is little */
  readonly checksum?: 'none' | 'sha1' | undefined
  /** the commit that it names instead of a checksum */
  readonly commit?: string | undefined
  /** when it was complete, ms since 1970 */
  readonly at: number
  /** how long that took, where it was fetched */
  readonly ms?: number | undefined
}

/** How code comes into the store. `startedAt`: when its fetch began, by the monotonic clock. */
export type Arrival = {
  readonly from?: CodeOrigin | undefined
  readonly source?: string | undefined
  readonly checksum?: CodeProvenance['checksum']
  readonly commit?: string | undefined
  readonly startedAt?: number | undefined
}

/** What a check of one archive found. */
export type VerifiedCode = {
  readonly code: CID
  /** of the archive */
  readonly bytes: number
  /** `damaged`: it stays while it is in use, counts as not here, and what is wrong of it is given to nobody */
  readonly state: 'ok' | 'removed' | 'damaged'
  /** One sentence, where it is not ok. */
  readonly why?: string | undefined
}
