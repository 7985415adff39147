import { sha256 } from '../../../protocols/encoding.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { CHUNK_BYTES, MAX_CHUNKS } from '../../../protocols/limits.ts'
import { createManifest } from '../../../src/code/archive/chunks.ts'
import { createTarReader } from '../../../src/code/archive/tar-read.ts'
import { BadArchiveError } from '../../../src/code/errors.ts'
import type { Json, Op } from '../kit/kit.ts'

/** The bytes are not a canonical tar. */
export class ArchiveError extends ProtocolError {
  override readonly name = 'ArchiveError'
}

const BLOCK = 512

export const archiveOps: Record<string, Op> = {
  'archive.tar': ({ blocks }) => {
    const tar = Buffer.concat((blocks as string[]).map(blockOf))
    const entries: { [field: string]: Json }[] = []
    const reader = createTarReader(
      {
        file: ({ path, executable, size }) => void entries.push({ path, executable, size }),
        data() {},
        close() {},
        link: ({ path, target }) => void entries.push({ path, target }),
      },
      { maxEntries: tar.byteLength, maxBytes: CHUNK_BYTES * MAX_CHUNKS },
    )
    try {
      reader.push(tar)
      reader.end()
    } catch (error) {
      if (error instanceof BadArchiveError) throw new ArchiveError('', error.message)
      throw error
    }
    return { entries, size: tar.byteLength, code: createManifest(tar.byteLength, [sha256(tar)]).code.toString() }
  },
}

function blockOf(hex: string): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.set(Buffer.from(hex, 'hex'))
  return block
}
