import { MAX_FILES } from './archive-limits.ts'
import { type Collected, collectArchive, finish } from './collect-archive.ts'
import type { PackFile } from './tar.ts'

/** A folder or an archive that was dropped. */
export async function collectDropped(transfer: DataTransfer): Promise<Collected> {
  // entries can be had only while the event is handled
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  const [first] = entries
  if (first === undefined) throw new Error('Drop a folder, or an archive (.tar, .tar.gz, .zip).')
  if (entries.length === 1 && first.isFile) return collectArchive(await fileOf(first as FileSystemFileEntry))
  const files: PackFile[] = []
  for (const entry of entries) await walk(entry, entries.length === 1 ? '' : entry.name, files)
  return finish(first.name, files)
}

/** A folder that was chosen: each file has its path, which begins with the folder's name. */
export function collectChosen(list: FileList): Promise<Collected> {
  const files = [...list].map((data) => ({ path: data.webkitRelativePath.split('/').slice(1).join('/'), data }))
  return finish(list[0]?.webkitRelativePath.split('/')[0] ?? 'service', files)
}

/** Never packed, and large. */
const NEVER_WALKED = new Set(['.git', '.hg', '.svn'])

async function walk(entry: FileSystemEntry, path: string, files: PackFile[]): Promise<void> {
  // what the rules of its root leave out is not known yet
  if (NEVER_WALKED.has(entry.name)) return
  if (files.length > MAX_FILES) return
  if (entry.isFile) {
    files.push({ path: path === '' ? entry.name : path, data: await fileOf(entry as FileSystemFileEntry) })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // it gives a hundred at a time, and none at the end
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const each of some) await walk(each, path === '' ? each.name : `${path}/${each.name}`, files)
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject))
}
