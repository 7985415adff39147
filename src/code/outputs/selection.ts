import { formatCount } from '../../base/format.ts'
import { isExecutable } from '../archive/pack-rules.ts'
import { problemOfPath } from '../archive/tar-format.ts'
import type { PackFile } from '../archive/tar-write.ts'
import { TooLargeError } from '../errors.ts'
import type { StagingFile } from '../sources/child/staging-file.ts'
import type { LeftOut } from './job.ts'
import type { LeftEntry, LeftSink } from './read-tar.ts'

/** What tars of several paths hold, on the way to one archive: files alone, each path once. */
export interface Selection {
  /** Takes the entries of one tar: those of the path with these parts, of which the names have the last; none: of all. */
  into(parts: readonly string[]): LeftSink
  files(): PackFile[]
  readonly leftOut: LeftOut
}

export function createSelection(staging: StagingFile): Selection {
  const leftOut = { links: 0, special: 0, names: 0 }
  const seen = new Set<string>()
  /** a second name of a file that came before, by its path */
  const copies = new Map<string, string>()
  /** what follows is the content of no file that is kept */
  let skips = false

  /** Of each kind: what is left out takes memory and time, too. */
  let entries = 0

  function take({ path, kind, target }: LeftEntry, within: readonly string[]): boolean {
    entries++
    if (entries > staging.limits.maxEntries)
      throw new TooLargeError(
        `the outputs have more than the ${formatCount(staging.limits.maxEntries)} files and folders that are allowed`,
      )
    if (kind === 'folder') {
      staging.folder()
      return false
    }
    const whole = path === undefined ? undefined : [...within.slice(0, -1), path].join('/')
    if (whole === undefined || !isBelow(whole, within) || problemOfPath(whole) !== undefined) {
      leftOut.names++
      return false
    }
    if (seen.has(whole)) return false
    seen.add(whole)
    if (kind === 'link') leftOut.links++
    if (kind === 'other') leftOut.special++
    if (kind === 'hard-link') copies.set(whole, [...within.slice(0, -1), target ?? ''].join('/'))
    if (kind === 'file') staging.file(whole)
    return kind === 'file'
  }

  return {
    leftOut,
    into: (parts) => ({
      entry(entry) {
        skips = !take(entry, parts)
      },
      data(piece) {
        if (!skips) staging.data(piece)
      },
    }),
    files() {
      const staged = new Map(
        staging.entries.flatMap((entry) => ('open' in entry ? [[entry.path, entry] as const] : [])),
      )
      const all = [...staged.values()]
      let bytes = all.reduce((sum, { size }) => sum + size, 0)
      for (const [path, of] of copies) {
        const file = staged.get(of)
        if (file === undefined) continue
        bytes += file.size
        if (bytes > staging.limits.maxBytes) throw new TooLargeError('the files have more bytes than are allowed')
        all.push({ ...file, path })
      }
      return all.map(({ head, ...file }) => ({ ...file, executable: isExecutable(head) }))
    },
  }
}

/** At or below the path with these parts. */
export function isBelow(path: string, parts: readonly string[]): boolean {
  const top = parts.join('/')
  return top === '' || path === top || path.startsWith(`${top}/`)
}
