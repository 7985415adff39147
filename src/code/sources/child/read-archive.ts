import { archiveKind, decompressed, MARK_BYTES, peek } from './archives/compression.ts'
import { readTarArchive } from './archives/tar.ts'
import { readZipArchive } from './archives/zip.ts'
import type { StagingFile } from './staging-file.ts'

/** Puts what an archive holds into the staging file: `.tar`, `.tar.gz`, `.tar.zst` or `.zip`, by its content. */
export async function readArchive(pieces: AsyncIterable<Uint8Array>, staging: StagingFile): Promise<void> {
  const { head, all } = await peek(pieces, MARK_BYTES)
  const kind = archiveKind(head)
  if (kind === 'zip') return await readZipArchive(all, staging)
  await readTarArchive(kind === 'tar' ? all : decompressed(kind, all), staging)
}
