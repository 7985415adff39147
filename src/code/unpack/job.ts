import type { TarLink } from '../archive/tar-format.ts'
import type { TarLimits } from '../archive/tar-read.ts'

/** The descriptor of the archive. Its working folder is the folder of the files: it finds both wherever they lie. */
export const TAR_FD = 3

/** What the unpacking process gets, as one line of JSON on its standard input. The input's end means: stop. */
export type UnpackJob = {
  /** unpack: write the files. check: compare what is there. */
  readonly task: 'unpack' | 'check'
  readonly size: number
  readonly chunkBytes: number
  /** sha256 of each chunk, hex */
  readonly hashes: readonly string[]
  readonly limits: TarLimits
}

/** What it answers, as one line of JSON on its standard output. */
export type UnpackResult =
  | {
      readonly done: true
      readonly files: number
      readonly entries: number
      readonly bytes: number
      /** unpack: links that are still to be made. This process may make none. */
      readonly links: readonly TarLink[]
    }
  | {
      readonly done: false
      readonly why: 'bad-archive' | 'too-large' | 'wrong-bytes' | 'disk-full' | 'differs' | 'failed'
      readonly message: string
    }
