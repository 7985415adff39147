/**
 * A process of a node ends at its machine's crash point of that number, from 1, and is started again after so long. With
 * `powerCut` its machine loses its power.
 */
export type Crash = { readonly point: number; readonly downSeconds: number; readonly powerCut: boolean }

/**
 * Counts where a process could end: before and after each call to its disk, datastore and executor, before and after a connection
 * is made, before bytes are sent, and after each commit of its journal. (Between one commit and the next, the journal does not
 * change, so that a point before a commit would give nothing else.) The numbers go on through all processes of a node.
 */
export interface CrashPoints {
  readonly count: number
  /** Passes the next one; answers what happens at it. */
  next(): Crash | undefined
}

export function createCrashPoints(crashes: readonly Crash[]): CrashPoints {
  const byPoint = new Map(crashes.map((crash) => [crash.point, crash]))
  let count = 0
  return {
    get count() {
      return count
    },
    next() {
      count++
      return byPoint.get(count)
    },
  }
}
