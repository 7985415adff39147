import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Disk } from '../base/os/disk.ts'
import type { ChunkReader } from '../code/index.ts'
import type { OutputKeeper } from '../execution/index.ts'

/** What is known of the result of one task. JSON, beside the archive. Times in ms. */
export type ResultRecord = {
  readonly v: 1
  /** base32 CID */
  readonly service: string
  readonly runId: string
  /** the author's address, base58 */
  readonly author: string
  /** of the archive; absent where none is kept */
  readonly code?: string | undefined
  /** bytes of the archive, 0 without one */
  readonly size: number
  readonly files: number
  /** All that the task was to leave was there. */
  readonly complete: boolean
  /** what is missing or left out; without an archive the end of a sentence about the outputs: why nothing is kept */
  readonly detail?: string | undefined
  readonly at: number
  readonly expires: number
}

export type ResultsComponents = {
  readonly clock: Clock
  readonly log: Log
  /** default: that of this machine */
  readonly disk?: Disk | undefined
}

export type ResultsInit = {
  /** Belongs to these results alone: anything else in there is removed. */
  readonly dir: string
  /** LIMITS.RESULTS, as the policy says now. */
  readonly limits: () => { readonly bytes: number; readonly seconds: number }
}

/** What tasks left for their authors, until it expires. It is no code: no peer gets it by its content id. */
export interface Results extends Disposable {
  readonly keeper: OutputKeeper
  /** Undefined where the task has left nothing here, and where that is forgotten. */
  get(service: string): ResultRecord | undefined
  /** Undefined where no archive is kept. Throws HashMismatchError where the disk has damaged it. */
  open(service: string): Promise<ChunkReader | undefined>
}

/** What a task left here for its author. Times in seconds. */
export type ResultsView = {
  readonly service: string
  readonly name: string
  /** content id of the archive; absent where none is kept */
  readonly code?: string | undefined
  /** of the archive */
  readonly bytes: number
  readonly files: number
  /** All that `run.outputs` names was there. */
  readonly complete: boolean
  /** what is missing or left out, or why nothing is kept; one sentence */
  readonly detail?: string | undefined
  readonly at: number
  readonly expires: number
}

/** Results of tasks that ran here. `id` as in `ThundercloudNode.service`. */
export interface NodeResults {
  /** Throws NotFoundError where the task has left nothing here. */
  get(id: string): ResultsView
  /** The canonical tar, each chunk verified. Throws NotFoundError where none is kept. */
  read(id: string, options?: { signal?: AbortSignal | undefined }): Promise<AsyncIterable<Uint8Array>>
}
