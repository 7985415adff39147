import type { PackFile } from './tar.ts'
import { unpackTar } from './untar.ts'

/** What is never packed: the history of a project, and what a desktop leaves. The same as at the command line. */
const LEFT_OUT = new Set([
  '.git',
  '.hg',
  '.svn',
  '.thundercloud',
  '.DS_Store',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
])
const MAX_FILES = 20_000
const MANIFEST = 'service.json'

export type Collected = {
  readonly name: string
  readonly files: readonly PackFile[]
  readonly bytes: number
  /** the text of its service.json */
  readonly manifest: string | undefined
}

/** A folder or an archive that was dropped. */
export async function collectDropped(transfer: DataTransfer): Promise<Collected> {
  // entries can be had only while the event is handled
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  const [first] = entries
  if (first === undefined) throw new Error('Drop a folder, or an archive (.tar, .tar.gz).')
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

export async function collectArchive(file: File): Promise<Collected> {
  if (!/\.(tar|tgz|tar\.gz)$/i.test(file.name)) {
    throw new Error(`"${file.name}" is neither a folder nor an archive; archives end in .tar, .tar.gz or .tgz.`)
  }
  const files = await unpackTar(file)
  // one folder around everything is how most archives are made
  const [top] = files[0]?.path.split('/') ?? []
  const wrapped = files.length > 0 && files.every(({ path }) => path.startsWith(`${top}/`))
  const inner = wrapped ? files.map(({ path, data }) => ({ path: path.slice(`${top}/`.length), data })) : files
  return finish(file.name.replace(/\.(tar|tgz|tar\.gz)$/i, ''), inner)
}

async function finish(name: string, all: readonly PackFile[]): Promise<Collected> {
  const kept = all.filter(({ path }) => !path.split('/').some((part) => LEFT_OUT.has(part)))
  if (kept.length === 0) throw new Error('There are no files in it.')
  if (kept.length > MAX_FILES) throw new Error(`It has more than ${MAX_FILES} files; publish it with the command line.`)
  const manifest = await kept.find(({ path }) => path === MANIFEST)?.data.text()
  return { name, files: kept, bytes: kept.reduce((sum, { data }) => sum + data.size, 0), manifest }
}

async function walk(entry: FileSystemEntry, path: string, files: PackFile[]): Promise<void> {
  if (LEFT_OUT.has(entry.name)) return
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
