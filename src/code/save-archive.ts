import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CID } from '../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../protocols/limits.ts'
import type { ArchiveManifest } from '../../protocols/streams/archive.ts'
import { MAX_STORED_ENTRIES } from './constants.ts'
import { createCodeStore } from './store/store.ts'
import type { AbortOptions, StoreComponents } from './types.ts'
import { unpackArchive } from './unpack/unpack.ts'

/** A store of one code needs room for its archive and its unpacked files. */
const MAX_BYTES = 2 * CHUNK_BYTES * MAX_CHUNKS

export type SaveArchive = {
  readonly code: CID
  /** as it came: it is not trusted */
  readonly tar: AsyncIterable<Uint8Array>
  /** A path where nothing is. It appears with all that belongs there, or not at all. */
  readonly target: string
  readonly as: 'folder' | 'tar'
}

/**
 * Writes code to a place of its own, outside any store: as the tar, or as its files. Throws HashMismatchError where the
 * tar is not the code, BadArchiveError, TooLargeError or DiskFullError.
 */
export async function saveArchive(
  components: StoreComponents,
  { code, tar, target, as }: SaveArchive,
  options: AbortOptions = {},
): Promise<{ bytes: number; files: number | undefined }> {
  // on the file system of the target, so that one rename makes it appear
  const temp = await mkdtemp(join(dirname(target), '.thundercloud-code-'))
  try {
    await using store = await createCodeStore(components, { dir: join(temp, 'store'), maxBytes: MAX_BYTES })
    const { size } = await store.addTar(tar, { ...options, expected: code })
    const path = store.paths(code).tar
    if (as === 'tar') {
      await rename(path, target)
      return { bytes: size, files: undefined }
    }
    const folder = join(temp, 'files')
    await mkdir(folder)
    const limits = { maxBytes: CHUNK_BYTES * MAX_CHUNKS, maxEntries: MAX_STORED_ENTRIES }
    const archive = { manifest: store.manifest(code) as ArchiveManifest, tar: path }
    const { files } = await unpackArchive(archive, folder, { clock: components.clock, limits, ...options })
    await makeWritable(folder)
    await rename(folder, target)
    return { bytes: size, files }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

/** Files in a store are read-only; a copy is its owner's. */
async function makeWritable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    await chmod(path, (await stat(path)).mode | 0o200)
  }
}
