import { addAbortListener } from 'node:events'
import type { CID } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import type { ArchiveRequest } from '../../../protocols/streams/archive.ts'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { HashMismatchError, NoProviderError } from '../errors.ts'
import type { ImageBlob } from '../images/image-manifest.ts'
import type { PartialImage } from '../images/types.ts'
import { type ArchiveStream, askManifest } from './archive-stream.ts'
import type { BlobPicker, BlobTask } from './blob-picker.ts'
import type { Provider } from './provider-pool.ts'
import type { RequestWindow } from './request-window.ts'
import type { Target, TransferProgress } from './transfer.ts'

/** The provider says that it does not have what it was asked for. */
class MissingBlobError extends UnavailableError {
  override readonly name = 'MissingBlobError'
}

type Progress = TransferProgress<PartialImage, BlobPicker>
type Opened = { readonly stream: ArchiveStream; readonly window: RequestWindow; readonly code: CID }

/** Pulls blobs from one provider. Throws NoProviderError where it lacks some, and no other is bringing them. */
export async function pullBlobs(provider: Provider, progress: Progress, code: CID): Promise<void> {
  const without = new Set<string>()
  let missing: MissingBlobError | undefined
  for (;;) {
    const { stream, window } = await provider.open()
    await using _stream = stream
    const target = progress.target ?? (await progress.begin(await askManifest(stream, code)))
    // one that lacks a blob has more such answers on their way: the next blob takes another stream
    const lacking = await pullOn({ stream, window, code }, target, { provider, progress, without })
    if (lacking === undefined) {
      await stream.end()
      if (missing !== undefined && !target.picker.done) throw new NoProviderError(missing.message)
      return
    }
    missing = lacking
  }
}

/** Blob after blob, until there is no more for this provider, or one that it does not have. */
async function pullOn(
  opened: Opened,
  { partial, picker }: Target<PartialImage, BlobPicker>,
  { provider, progress, without }: { provider: Provider; progress: Progress; without: Set<string> },
): Promise<MissingBlobError | undefined> {
  for (;;) {
    const task = await picker.next(without, provider)
    if (task === undefined) return undefined
    using _cut = addAbortListener(task.signal, () => void opened.stream[Symbol.asyncDispose]())
    let stored = false
    try {
      await partial.write(task.blob, pullRanges(opened, task))
      stored = true
    } catch (error) {
      task.signal.throwIfAborted()
      if (!(error instanceof MissingBlobError)) throw error
      without.add(task.blob.digest)
      return error
    } finally {
      task.done(stored)
    }
    progress.stored()
  }
}

/** The bytes of a blob, range by range, a few asked for ahead. Left before its end, the stream is of no more use. */
async function* pullRanges(
  { stream, window, code }: Opened,
  { blob, received }: Pick<BlobTask, 'blob' | 'received'>,
): AsyncGenerator<Uint8Array> {
  const count = Math.ceil(blob.size / CHUNK_BYTES)
  let asked = 0
  for (let index = 0; index < count; index++) {
    for (; asked < count && !window.isFull; asked++) {
      window.push(asked)
      await stream.send(rangeOf(code, blob, asked))
    }
    const answer = await stream.receive()
    window.shift(answer.is !== 'error')
    if (answer.is === 'error') throw new MissingBlobError(`it says: ${sanitizeText(answer.message)}`)
    const { length } = rangeOf(code, blob, index)
    if (answer.is !== 'bytes' || answer.bytes.byteLength !== length) {
      throw new HashMismatchError('a range of a blob came with another length')
    }
    received(length)
    yield answer.bytes
  }
}

function rangeOf(code: CID, { digest, size }: ImageBlob, index: number) {
  const offset = index * CHUNK_BYTES
  const length = Math.min(CHUNK_BYTES, size - offset)
  const hash = Buffer.from(digest, 'hex')
  return { v: 1, want: 'blob', code, digest: hash, offset, length } as const satisfies ArchiveRequest
}
