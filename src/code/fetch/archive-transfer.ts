import type { CID } from '../../../protocols/encoding.ts'
import { MAX_MANIFEST_BYTES } from '../../../protocols/limits.ts'
import { codeId } from '../../../protocols/streams/archive.ts'
import type { Clock } from '../../base/clock.ts'
import type { Rng } from '../../base/rng.ts'
import type { Zstd } from '../archive/zstd.ts'
import type { BufferPool } from '../store/buffer-pool.ts'
import type { CodeStore, PartialCode } from '../types.ts'
import { type ChunkPicker, createChunkPicker } from './chunk-picker.ts'
import { pullChunks } from './pull-chunks.ts'
import type { Transfer } from './transfer.ts'

export type ArchiveTransferComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly store: Pick<CodeStore, 'resume' | 'begin'>
  readonly buffers: BufferPool
  readonly zstd: Pick<Zstd, 'decompress'>
}

/** An archive comes chunk by chunk, each from whoever has it. */
export function archiveTransfer(
  { clock, rng, store, buffers, zstd }: ArchiveTransferComponents,
  code: CID,
): Transfer<PartialCode, ChunkPicker> {
  return {
    noun: 'code',
    isManifest: (bytes) => bytes.byteLength <= MAX_MANIFEST_BYTES && codeId(bytes).equals(code),
    resume: (options) => store.resume(code, options),
    begin: (manifest) => store.begin(code, manifest),
    createPicker: ({ manifest, has }) => createChunkPicker({ clock, rng }, manifest.chunks.length, has),
    pull: (provider, progress) => pullChunks({ clock, buffers, zstd, code, provider, progress }),
  }
}
