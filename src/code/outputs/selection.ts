import { isExecutable, type SourceEntry, type SourceFile } from '../archive/pack-list.ts'
import { problemOfPath } from '../archive/tar-format.ts'
import type { PackFile } from '../archive/tar-write.ts'
import { TooLargeError } from '../errors.ts'
import { HARD_LINK, NOT_UTF8 } from '../sources/child/archives/tar.ts'
import type { StagingFile } from '../sources/child/staging-file.ts'
import type { LeftOut } from './job.ts'

/** What tars of several paths hold, on the way to one archive: files alone, each path once. */
export interface Selection {
  /** Takes the entries of one tar, whose names come below `folder`; empty: as they are. */
  into(folder: string): StagingFile
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

  function take(path: string): boolean {
    if (seen.has(path)) return false
    seen.add(path)
    if (problemOfPath(path) === undefined) return true
    leftOut.names++
    return false
  }

  function leave(entry: Exclude<SourceEntry, SourceFile>, folder: string): void {
    const path = joined(folder, entry.path)
    if ('problem' in entry && entry.problem === HARD_LINK && entry.of !== undefined) {
      if (take(path)) copies.set(path, joined(folder, entry.of))
      return
    }
    if (seen.has(path)) return
    seen.add(path)
    if ('target' in entry) leftOut.links++
    else if (entry.problem === NOT_UTF8) leftOut.names++
    else leftOut.special++
  }

  function files(): PackFile[] {
    const staged = new Map(staging.entries.flatMap((entry) => ('open' in entry ? [[entry.path, entry] as const] : [])))
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
  }

  return {
    leftOut,
    files,
    into: (folder) => ({
      limits: staging.limits,
      get entries() {
        return staging.entries
      },
      file(name) {
        const path = joined(folder, name)
        skips = !take(path)
        if (!skips) staging.file(path)
      },
      data(piece) {
        if (!skips) staging.data(piece)
      },
      add: (entry) => leave(entry, folder),
      folder: () => staging.folder(),
      [Symbol.dispose]() {},
    }),
  }
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}
