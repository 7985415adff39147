import type { DrainedService } from './drain-state.ts'

/** A drain of this node. Times are whole seconds (UTC). */
export type DrainView = {
  readonly since: number
  /** what runs then is stopped; undefined: runs are waited for however long they take */
  readonly deadline?: number | undefined
  /** nothing runs here any more */
  readonly done: boolean
  /** what still runs, and what it waits for */
  readonly waiting: readonly DrainWait[]
  /** what ran at the deadline, and was stopped */
  readonly cut: readonly DrainedService[]
}

export type DrainWait = DrainedService & { readonly kind: 'task' | 'service'; readonly why: string }

export type DrainOptions = {
  /**
   * After so many ms what still runs is stopped; null: never. Undefined: as before where the node is drained already, else
   * an hour.
   */
  readonly deadlineMs?: number | null | undefined
}

/** Takes this node out of service for maintenance: nothing new begins, and what runs ends once other nodes run it. */
export interface Drain extends Disposable {
  /** Begins it, or gives the one in force another deadline. */
  begin(options?: DrainOptions): DrainView
  /** The node takes services again; false where it was not drained. */
  end(): boolean
  view(): DrainView | undefined
  /** What the run of this service waits for, where it is to end because of the drain. */
  waitText(service: string): string | undefined
  /** Takes up a drain that was in force when the node ended. */
  boot(): void
}
