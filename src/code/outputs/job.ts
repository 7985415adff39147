/** The descriptor on which the packing process says what it found, as one line of JSON. */
export const REPORT_FD = 3

/** What the packing process is started with, as JSON. */
export type PackJob = {
  /** bytes that the files may have together; more makes no archive */
  readonly maxBytes: number
  readonly maxEntries: number
}

/** One of the paths that a task was to leave, and what is there. */
export type TaskOutputPath = {
  /** below the task's folder, as the service spells it */
  readonly path: string
  /**
   * A tar of it that nobody has checked, whose names begin with the path's last part, or `./` where the path is the folder
   * itself; undefined where nothing is there.
   */
  readonly tar: LeftTar | undefined
}

/** `destroy` closes what it reads from, also where nothing of it was read. */
export type LeftTar = AsyncIterable<Uint8Array> & { destroy?(): unknown }

/** What lies there and is not packed. */
export type LeftOut = {
  /** symbolic links: none is followed */
  readonly links: number
  /** pipes, devices, sockets */
  readonly special: number
  /** names that no archive holds: not UTF-8, control characters, too long */
  readonly names: number
}

export type PackReport =
  | {
      readonly done: true
      readonly files: number
      /** of the paths, those at and below which no file is packed */
      readonly missing: readonly string[]
      readonly leftOut: LeftOut
    }
  | { readonly done: false; readonly why: 'too-large' | 'unusable' | 'disk-full' | 'failed'; readonly message: string }
