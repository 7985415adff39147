import { type CID, sha256 } from '../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../protocols/limits.ts'
import type { Source } from '../../protocols/service.ts'
import { createManifest } from './archive/chunks.ts'
import type { AbortOptions, CodeStore } from './types.ts'

/** Takes the code from the service itself, where it is small enough to travel in it. False where it does not. */
export async function addInlineCode(
  store: Pick<CodeStore, 'addTar'>,
  code: CID,
  sources: readonly Source[],
  options: AbortOptions,
): Promise<boolean> {
  for (const source of sources) {
    if (source.type !== 'inline' || source.bytes.byteLength === 0 || !codeIdOf(source.bytes).equals(code)) continue
    await store.addTar(once(source.bytes), { ...options, from: 'inline' })
    return true
  }
  return false
}

/** The identity that these bytes would have as an archive. */
function codeIdOf(bytes: Uint8Array): CID {
  const chunks: Uint8Array[] = []
  for (let offset = 0; offset < bytes.byteLength; offset += CHUNK_BYTES) {
    chunks.push(sha256(bytes.subarray(offset, offset + CHUNK_BYTES)))
  }
  return createManifest(bytes.byteLength, chunks).code
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
