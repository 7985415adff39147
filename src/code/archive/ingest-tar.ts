import { join } from 'node:path'
import { pipe } from 'it-pipe'
import type { CID } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import type { ArchiveManifest } from '../../../protocols/streams/archive.ts'
import type { Disk } from '../../base/os/disk.ts'
import { MAX_STORED_ENTRIES } from '../constants.ts'
import { MANIFEST, openTar, writeFileAtomic } from '../store/store-layout.ts'
import { createManifest, type HashedChunk, hashChunks, splitIntoChunks } from './chunks.ts'
import { createTarReader } from './tar-read.ts'

/** Writes a tar and its manifest into the folder `temp`; throws BadArchiveError at the first byte that is not canonical. */
export async function ingestTar(
  disk: Disk,
  tar: AsyncIterable<Uint8Array>,
  temp: string,
  take: (bytes: number) => Promise<void>,
  options: { signal?: AbortSignal | undefined },
): Promise<{ code: CID; manifest: ArchiveManifest; encoded: Uint8Array }> {
  const described = await pipe(
    tar,
    (pieces) => checked(pieces, options.signal),
    splitIntoChunks,
    hashChunks,
    (chunks) => stored(disk, chunks, temp, take),
  )
  await writeFileAtomic(disk, join(temp, MANIFEST), described.encoded)
  return described
}

/** A pipeline stage that lets canonical archives through. */
async function* checked(
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const sink = { file() {}, data() {}, close() {}, link() {} }
  const reader = createTarReader(sink, { maxEntries: MAX_STORED_ENTRIES, maxBytes: CHUNK_BYTES * MAX_CHUNKS })
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    reader.push(piece)
    yield piece
  }
  reader.end()
}

async function stored(
  disk: Disk,
  chunks: AsyncIterable<HashedChunk>,
  temp: string,
  take: (bytes: number) => Promise<void>,
) {
  const hashes: Uint8Array[] = []
  let size = 0
  const file = await openTar(disk, temp)
  try {
    for await (const { bytes, hash } of chunks) {
      await take(bytes.byteLength)
      await file.writeFile(bytes)
      hashes.push(hash)
      size += bytes.byteLength
    }
  } finally {
    await file.close()
  }
  return createManifest(size, hashes)
}
