import {
  ARCHIVE_PROTOCOL,
  type ArchiveAnswer,
  type ArchiveRequest,
  chunkLength,
  decodeArchiveAnswer,
  encodeArchiveRequest,
} from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { MessageStream, StreamOpener } from '../../base/stream.ts'
import { decompressChunk } from '../archive/zstd.ts'
import { ANSWER_MS, MAX_MISSES, OPEN_MS, REQUESTS_AHEAD, WRITES_AHEAD } from '../constants.ts'
import { HashMismatchError, NoProviderError } from '../errors.ts'
import type { BufferLease, BufferPool } from '../store/buffer-pool.ts'
import type { Download, Target } from './download.ts'

export type ProviderDownload = {
  readonly clock: Clock
  readonly streams: StreamOpener
  readonly code: CID
  readonly peer: string
  readonly buffers: BufferPool
  readonly signal: AbortSignal
  readonly download: Pick<Download, 'target' | 'begin' | 'chunkStored'>
}

/**
 * Pulls chunks from one provider until there is nothing left for it. Throws HashMismatchError or ProtocolError where the
 * provider sent invalid data, and the original error otherwise; its unfinished chunks are released.
 */
export async function downloadFrom(pull: ProviderDownload): Promise<void> {
  using buffers = pull.buffers.lease()
  await using stream = await open(pull, buffers)
  const target = pull.download.target ?? (await pull.download.begin(await askManifest(pull, stream)))
  await pullChunks(pull, stream, target, buffers)
  await stream.end()
}

async function askManifest(pull: ProviderDownload, stream: MessageStream): Promise<Uint8Array> {
  await send(pull, stream, { v: 1, want: 'manifest', code: pull.code })
  const answer = await receive(pull, stream)
  if (answer.is === 'bytes') return answer.bytes
  if (answer.is === 'error') throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
  throw new HashMismatchError('the manifest came compressed')
}

async function pullChunks(
  pull: ProviderDownload,
  stream: MessageStream,
  { partial, picker }: Target,
  buffers: BufferLease,
): Promise<void> {
  const { peer, code } = pull
  const inFlight: number[] = []
  const missing = new Set<number>()
  const writing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined

  const store = async (index: number, answer: Exclude<ArchiveAnswer, { is: 'error' }>) => {
    try {
      const length = chunkLength(partial.manifest, index)
      await partial.write(index, answer.is === 'zstd' ? await decompressChunk(answer.bytes, length) : answer.bytes)
      pull.download.chunkStored(index)
    } catch (error) {
      picker.release(peer, index)
      failure ??= { error }
    } finally {
      buffers.release(answer.bytes)
    }
  }
  try {
    for (;;) {
      while (inFlight.length < REQUESTS_AHEAD) {
        const index = picker.next(peer, missing)
        if (index === undefined) break
        inFlight.push(index)
        await send(pull, stream, { v: 1, want: 'chunks', code, first: index, count: 1, zstd: true })
      }
      const [index] = inFlight
      if (index === undefined) {
        if (picker.done || missing.size > 0) break
        if (writing.size > 0) await Promise.race(writing)
        else await picker.waitForChange(pull)
      } else {
        const answer = await receive(pull, stream)
        inFlight.shift()
        if (answer.is === 'error') {
          missing.add(index)
          picker.release(peer, index)
          if (missing.size > MAX_MISSES) throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
        } else {
          const work = store(index, answer).finally(() => writing.delete(work))
          writing.add(work)
          if (writing.size >= WRITES_AHEAD) await Promise.race(writing)
        }
      }
      if (failure !== undefined) throw failure.error
    }
  } finally {
    for (const index of inFlight) picker.release(peer, index)
    await Promise.all(writing)
  }
  if (failure !== undefined) throw failure.error
}

async function open({ clock, streams, peer, signal }: ProviderDownload, buffers: BufferLease): Promise<MessageStream> {
  using limit = deadline(clock, OPEN_MS, new TimeoutError('the provider did not answer the call'), signal)
  return await streams.open(peer, ARCHIVE_PROTOCOL, { signal: limit.signal, allocate: buffers.acquire })
}

async function send(pull: ProviderDownload, stream: MessageStream, request: ArchiveRequest): Promise<void> {
  using limit = deadline(pull.clock, ANSWER_MS, new TimeoutError('the provider takes no requests'), pull.signal)
  await stream.write(encodeArchiveRequest(request), limit)
}

async function receive(pull: ProviderDownload, stream: MessageStream): Promise<ArchiveAnswer> {
  using limit = deadline(pull.clock, ANSWER_MS, new TimeoutError('the provider does not answer'), pull.signal)
  const bytes = await stream.read(limit)
  if (bytes === undefined) throw new UnavailableError('the provider ended the stream')
  return decodeArchiveAnswer(bytes)
}
