import { constants } from 'node:fs'
import { join } from 'node:path'
import { type CID, parseCid } from '../../../protocols/encoding.ts'
import { type ArchiveManifest, codeId, decodeManifest } from '../../../protocols/streams/archive.ts'
import { errnoOf, ThundercloudError } from '../../base/errors.ts'
import type { Disk, OpenFile } from '../../base/os/disk.ts'
import { DEFAULT_MAX_ENTRIES, MIN_BYTES_PER_FILE } from '../constants.ts'
import { DiskFullError } from '../errors.ts'

/**
 * The store's layout on disk. A folder under codes/ is complete, because one rename put it there; one under partial/
 * is resumed by hashing what is there; temp/ is garbage after a crash. Nothing is flushed (fsync): a
 * process that is killed loses nothing, and what a power failure takes is found by hash when the bytes are used.
 *
 *   codes/<cid>/manifest    canonical dag-cbor; its modification time is the last use
 *   codes/<cid>/tar         the canonical tar, `size` bytes
 *   codes/<cid>/files/      the unpacked files, if they were needed
 *   codes/<cid>/entries     how many files, folders and links that is
 *   codes/<cid>/provenance  where the code came from, as JSON
 *   partial/<cid>/manifest
 *   partial/<cid>/tar       verified chunks at their places, holes between
 *   images/<cid>/manifest   an OCI manifest, as it came; its modification time is the last use
 *   images/<cid>/blobs/     its configuration and layers, named by their sha256 in hex; `.part`: on the way in
 *   images/<cid>/provenance as above
 *   temp/                   on the way in and on the way out
 */
export type StoreLayout = {
  readonly codes: string
  readonly partial: string
  readonly images: string
  readonly temp: string
}

export const MANIFEST = 'manifest'
export const TAR = 'tar'
export const FILES = 'files'
export const ENTRIES = 'entries'

export type FoundCode = {
  readonly code: CID
  readonly manifest: ArchiveManifest
  readonly encoded: Uint8Array
  readonly usedAt: number
  readonly unpacked: boolean
  /** files, folders and links that were unpacked */
  readonly entries: number
  /** what the disk has lost of the archive; its unpacked files are there */
  readonly damaged?: string | undefined
}

/** Makes the folders and clears what a crash left in temp/. */
export async function openLayout(disk: Disk, dir: string): Promise<StoreLayout> {
  const layout = {
    codes: join(dir, 'codes'),
    partial: join(dir, 'partial'),
    images: join(dir, 'images'),
    temp: join(dir, 'temp'),
  }
  await disk.rm(layout.temp, { recursive: true, force: true })
  // 0755: what is unpacked here is read by runs that have another uid
  for (const folder of Object.values(layout)) await disk.mkdir(folder, { recursive: true, mode: 0o755 })
  return layout
}

/**
 * The codes under `folder`. Anything else is removed: only the store writes here, so a crash left it. Where only the archive
 * is damaged, a run of an earlier process may use the unpacked files still.
 */
export async function scanCodes(disk: Disk, folder: string, kind: 'complete' | 'partial'): Promise<FoundCode[]> {
  const found: FoundCode[] = []
  for (const name of await disk.readdir(folder)) {
    const code = await readFound(disk, join(folder, name), name, kind).catch(() => undefined)
    if (code === undefined) await disk.rm(join(folder, name), { recursive: true, force: true })
    else found.push(code)
  }
  return found
}

async function readFound(
  disk: Disk,
  path: string,
  name: string,
  kind: 'complete' | 'partial',
): Promise<FoundCode | undefined> {
  const encoded = new Uint8Array(await disk.readFile(join(path, MANIFEST)))
  const code = parseCid(name)
  if (!codeId(encoded).equals(code)) return undefined
  const manifest = decodeManifest(encoded)
  const tar = await disk.stat(join(path, TAR)).catch(() => undefined)
  const damaged = kind === 'complete' ? sizeProblem(tar?.size, manifest.size) : undefined
  const unpacked = kind === 'complete' && (await exists(disk, join(path, FILES)))
  if (damaged !== undefined && !unpacked) return undefined
  const usedAt = (await disk.stat(join(path, MANIFEST))).mtimeMs
  const entries = unpacked ? await entriesIn(disk, path, manifest) : 0
  return { code, manifest, encoded, usedAt, unpacked, entries, damaged }
}

/** Why a file of so many bytes is no archive of this size. */
export function sizeProblem(bytes: number | undefined, size: number): string | undefined {
  if (bytes === undefined) return 'a file of it is missing'
  return bytes === size ? undefined : `it has ${bytes} bytes instead of ${size}`
}

/** What an older version unpacked was not counted: it is at most what an archive of its size can hold. */
async function entriesIn(disk: Disk, path: string, { size }: ArchiveManifest): Promise<number> {
  const noted = Number(await disk.readFile(join(path, ENTRIES)).catch(() => Number.NaN))
  const most = Math.min(DEFAULT_MAX_ENTRIES, Math.ceil(size / MIN_BYTES_PER_FILE))
  return Number.isSafeInteger(noted) && noted > 0 ? noted : most
}

/** A file that is there with its whole content, or not at all. */
export async function writeFileAtomic(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  await disk.writeFile(`${path}.new`, bytes)
  await disk.rename(`${path}.new`, path)
}

/** A tar that is written at any place and in any order. */
export function openTar(disk: Disk, folder: string): Promise<OpenFile> {
  return disk.open(join(folder, TAR), constants.O_RDWR | constants.O_CREAT, 0o644)
}

/** Takes a folder out of sight at once, then frees its bytes. */
export async function discard(disk: Disk, path: string, temp: string, name: string): Promise<void> {
  const trash = join(temp, name)
  try {
    await disk.rename(path, trash)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  await disk.rm(trash, { recursive: true, force: true })
}

async function exists(disk: Disk, path: string): Promise<boolean> {
  return (await disk.stat(path).catch(() => undefined)) !== undefined
}

/** Waits for `work`; a full disk becomes one clear error. */
export async function withDiskErrors<T>(dir: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw diskError(dir, cause)
  }
}

export function diskError(dir: string, cause: unknown): unknown {
  if (cause instanceof ThundercloudError) return cause
  const code = errnoOf(cause)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return cause
  return new DiskFullError(
    `the disk of ${dir} is full; free some space there, or let the code store use another disk`,
    {
      cause,
    },
  )
}
