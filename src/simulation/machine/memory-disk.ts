import { constants } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk, FileInfo, OpenFile } from '../../base/os/disk.ts'
import type { Rng } from '../../base/rng.ts'
import { createMemoryFile, type MemoryFile } from './memory-file.ts'

export interface MemoryDisk extends Disk {
  /**
   * The disk as it is after a power cut. What was written and not synced is lost from some write on, and that one is torn;
   * zeros may have its place. Names stay as they are: a file system journals them.
   */
  afterPowerCut(rng: Rng): MemoryDisk
}

type Folder = { readonly kind: 'folder'; readonly names: Map<string, Entry>; readonly ino: number; mtimeMs: number }
type Entry = Folder | MemoryFile

const { O_CREAT, O_TRUNC, O_APPEND } = constants
const FLAGS = { r: 0, w: O_CREAT | O_TRUNC, 'a+': O_CREAT | O_APPEND }

type Content = { readonly root: Folder; readonly inodes: number }

export function createMemoryDisk({ clock }: { clock: Clock }, content?: Content): MemoryDisk {
  let inodes = content?.inodes ?? 1
  const folderNow = (): Folder => ({ kind: 'folder', names: new Map(), ino: inodes++, mtimeMs: clock.now() })
  const root = content?.root ?? folderNow()

  function find(path: string): Entry | undefined {
    let entry: Entry | undefined = root
    for (const name of partsOf(path)) entry = entry?.kind === 'folder' ? entry.names.get(name) : undefined
    return entry
  }
  function required(path: string, call: string): Entry {
    const entry = find(path)
    if (entry === undefined) throw systemError('ENOENT', 'no such file or directory', call, path)
    return entry
  }
  function folder(path: string, call: string): Folder {
    const entry = required(path, call)
    if (entry.kind !== 'folder') throw systemError('ENOTDIR', 'not a directory', call, path)
    return entry
  }
  function file(path: string, call: string): MemoryFile {
    const entry = required(path, call)
    if (entry.kind === 'folder') throw systemError('EISDIR', 'illegal operation on a directory', call, path)
    return entry
  }
  const parentOf = (path: string, call: string) => folder(dirname(normalize(path)), call)
  const nameOf = (path: string) => partsOf(path).at(-1) ?? ''

  function openFile(path: string, flags: number): MemoryFile {
    const there = find(path)
    if (there === undefined && (flags & O_CREAT) !== 0) {
      const made = createMemoryFile(clock, inodes++)
      parentOf(path, 'open').names.set(nameOf(path), made)
      return made
    }
    const opened = file(path, 'open')
    if ((flags & O_TRUNC) !== 0) opened.truncate()
    return opened
  }

  function makeFolder(path: string, recursive: boolean): void {
    const there = find(path)
    if (there !== undefined) {
      if (recursive && there.kind === 'folder') return
      throw systemError('EEXIST', 'file already exists', 'mkdir', path)
    }
    if (recursive) makeFolder(dirname(normalize(path)), true)
    parentOf(path, 'mkdir').names.set(nameOf(path), folderNow())
  }

  function renameSync(from: string, to: string): void {
    const entry = required(from, 'rename')
    const there = find(to)
    if (there?.kind === 'folder' && there.names.size > 0) {
      throw systemError('ENOTEMPTY', 'directory not empty', 'rename', to)
    }
    parentOf(to, 'rename').names.set(nameOf(to), entry)
    parentOf(from, 'rename').names.delete(nameOf(from))
  }

  return {
    open: async (path, flags = 'r') => {
      const bits = typeof flags === 'number' ? flags : FLAGS[flags]
      return handleOf(openFile(path, bits))
    },
    readFile: async (path) => file(path, 'open').content(),
    async writeFile(path, data) {
      const opened = openFile(path, FLAGS.w)
      opened.write(Buffer.from(data), 0)
    },
    async mkdir(path, { recursive = false } = {}) {
      makeFolder(path, recursive)
      return undefined
    },
    async mkdtemp(prefix) {
      const path = `${prefix}${inodes.toString(36).padStart(6, '0')}`
      makeFolder(path, false)
      return path
    },
    readdir: async (path) => [...folder(path, 'scandir').names.keys()].sort(),
    rename: async (from, to) => renameSync(from, to),
    renameSync,
    async rm(path, { recursive = false, force = false } = {}) {
      const entry = find(path)
      if (entry === undefined) {
        if (force) return
        throw systemError('ENOENT', 'no such file or directory', 'rm', path)
      }
      if (entry.kind === 'folder' && !recursive) throw systemError('EISDIR', 'is a directory', 'rm', path)
      parentOf(path, 'rm').names.delete(nameOf(path))
    },
    stat: async (path) => infoOf(required(path, 'stat')),
    async utimes(path, _accessed, modified) {
      required(path, 'utime').mtimeMs = modified * 1000
    },
    afterPowerCut(rng) {
      const left = (folder: Folder): Folder => ({
        ...folder,
        names: new Map(
          [...folder.names].map(([name, entry]): [string, Entry] => [
            name,
            entry.kind === 'file' ? entry.afterPowerCut(rng) : left(entry),
          ]),
        ),
      })
      return createMemoryDisk({ clock }, { root: left(root), inodes })
    },
  }
}

function handleOf(file: MemoryFile): OpenFile {
  let position: number | undefined
  const close = async () => {}
  return {
    read: async (bytes, offset, length, at) => ({ bytesRead: file.read(bytes.subarray(offset, offset + length), at) }),
    async write(bytes, offset, length, at) {
      file.write(bytes.subarray(offset, offset + length), at)
      return { bytesWritten: length }
    },
    async writeFile(data) {
      // all callers begin at the start of a new file, or append
      position ??= file.size
      const bytes = Buffer.from(data)
      file.write(bytes, position)
      position += bytes.byteLength
    },
    stat: async () => infoOf(file),
    sync: async () => file.sync(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function infoOf(entry: Entry): FileInfo {
  const size = entry.kind === 'file' ? entry.size : 4096
  const blocks = entry.kind === 'file' ? entry.blocks : 8
  return { size, blocks, mtimeMs: entry.mtimeMs, ino: entry.ino, isFile: () => entry.kind === 'file' }
}

function partsOf(path: string): string[] {
  return join('/', path)
    .split('/')
    .filter((part) => part !== '')
}

function systemError(code: string, text: string, syscall: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${text}, ${syscall} '${path}'`), { code, syscall, path })
}
