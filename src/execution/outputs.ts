/** What a task is to leave (`run.outputs`), and how much of it is taken. */
export type PlanOutputs = {
  /** below /work; no part is `..` */
  readonly paths: readonly string[]
  readonly maxBytes: number
  readonly maxEntries: number
}

/** One of the paths, and a tar of what is there, whose names begin with the path's last part. Nobody has checked it. */
export type TaskOutputPath = { readonly path: string; readonly tar: AsyncIterable<Uint8Array> | undefined }

/** What a task left; `problem`: why none of it can be taken, as the end of a sentence about it. */
export type TaskOutputs = { readonly paths: AsyncIterable<TaskOutputPath> } | { readonly problem: string }

/** The parts of such a path; none: all of /work. */
export function outputParts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

export const OUTPUTS_GONE = 'are gone: the machine or its engine stopped before the node could take them'

export function tooLargeText({ maxBytes, maxEntries }: Pick<PlanOutputs, 'maxBytes' | 'maxEntries'>): string {
  return `have more than the ${maxBytes} bytes or ${maxEntries} files that this node takes of one task (LIMITS.RESULTS.BYTES)`
}
