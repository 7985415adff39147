import { archiveKind, decompressed, peek } from './archives/compression.ts'
import { readTarArchive } from './archives/tar.ts'
import { readZipArchive } from './archives/zip.ts'
import type { Spool } from './staging-file.ts'

/** Puts what an archive holds into the spool: `.tar`, `.tar.gz`, `.tar.zst` or `.zip`, by its content. */
export async function readArchive(pieces: AsyncIterable<Uint8Array>, spool: Spool): Promise<void> {
  const { head, all } = await peek(pieces, 4)
  const kind = archiveKind(head)
  if (kind === 'zip') return await readZipArchive(all, spool)
  await readTarArchive(kind === 'tar' ? all : decompressed(kind, all), spool)
}
