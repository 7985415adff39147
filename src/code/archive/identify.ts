import { pipe } from 'it-pipe'
import type { CID } from '../../../protocols/encoding.ts'
import { createManifest, hashChunks, splitIntoChunks } from './chunks.ts'
import { type PackEntry, packEntries } from './tar-write.ts'

/** What these entries are as code: its identity, and the bytes of its archive. Nothing is kept. */
export async function identify(
  entries: Iterable<PackEntry>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<{ code: CID; size: number }> {
  return await pipe(packEntries(entries, options), splitIntoChunks, hashChunks, async (chunks) => {
    const hashes: Uint8Array[] = []
    let size = 0
    for await (const { bytes, hash } of chunks) {
      hashes.push(hash)
      size += bytes.byteLength
    }
    return { code: createManifest(size, hashes).code, size }
  })
}
