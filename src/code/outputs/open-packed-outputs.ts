import { join } from 'node:path'
import type { CID } from '../../../protocols/encoding.ts'
import { codeId, decodeManifest } from '../../../protocols/streams/archive.ts'
import { type Disk, systemDisk } from '../../base/os/disk.ts'
import { HashMismatchError } from '../errors.ts'
import { openChunkReader } from '../store/chunk-reader.ts'
import { MANIFEST, TAR } from '../store/store-layout.ts'
import type { ChunkReader } from '../types.ts'

/** The archive that `packOutputs` wrote into a folder. Throws HashMismatchError where it is not `code` any more. */
export async function openPackedOutputs(dir: string, code: CID, disk: Disk = systemDisk()): Promise<ChunkReader> {
  const encoded = new Uint8Array(await disk.readFile(join(dir, MANIFEST)))
  if (!codeId(encoded).equals(code)) throw new HashMismatchError('the manifest of the results is damaged on this disk')
  const found = { code, manifest: decodeManifest(encoded), encoded, usedAt: 0, unpacked: false, entries: 0 }
  return openChunkReader(disk, join(dir, TAR), found, new Set<number>(), async () => {})
}
