import type { ArchiveRequest } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { REQUESTS_AHEAD } from '../constants.ts'
import { HashMismatchError } from '../errors.ts'
import type { ImageBlob } from '../images/image-manifest.ts'
import type { ArchiveStream } from './archive-stream.ts'

/** The provider says that it does not have what it was asked for. */
export class MissingBlobError extends UnavailableError {
  override readonly name = 'MissingBlobError'
}

/** The bytes of a blob, range by range, a few asked for ahead. Left before its end, the stream is of no more use. */
export async function* pullBlob(
  stream: ArchiveStream,
  { code, blob, received }: { code: CID; blob: ImageBlob; received: (bytes: number) => void },
): AsyncGenerator<Uint8Array> {
  const ranges = rangesOf(code, blob)
  const waiting: number[] = []
  const ask = async () => {
    const { value: request } = ranges.next()
    if (request === undefined) return
    waiting.push(request.length)
    await stream.send(request)
  }
  for (let ahead = 0; ahead < REQUESTS_AHEAD; ahead++) await ask()
  for (let length = waiting.shift(); length !== undefined; length = waiting.shift()) {
    const answer = await stream.receive()
    if (answer.is === 'error') throw new MissingBlobError(`it says: ${sanitizeText(answer.message)}`)
    if (answer.is !== 'bytes' || answer.bytes.byteLength !== length) {
      throw new HashMismatchError('a range of a blob came with another length')
    }
    received(length)
    yield answer.bytes
    await ask()
  }
}

function* rangesOf(code: CID, { digest, size }: ImageBlob) {
  for (let offset = 0; offset < size; offset += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, size - offset)
    yield {
      v: 1,
      want: 'blob',
      code,
      digest: Buffer.from(digest, 'hex'),
      offset,
      length,
    } as const satisfies ArchiveRequest
  }
}
