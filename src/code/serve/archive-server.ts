import { isImageCid } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import {
  type ArchiveRequest,
  chunkAnswer,
  chunkLength,
  decodeArchiveRequest,
  encodeArchiveAnswer,
} from '../../../protocols/streams/archive.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { LruMap } from '../../base/lru-map.ts'
import type { MessageStream } from '../../base/stream.ts'
import { threadedZstd, type Zstd } from '../archive/zstd.ts'
import {
  ARCHIVE_STREAMS,
  CLOSE_GRACE_MS,
  FAST_BYTES_PER_SECOND,
  IDLE_MS,
  MAX_SPARE_FRAMES,
  MAX_STREAMS,
  SEND_MS,
} from '../constants.ts'
import { HashMismatchError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { AbortOptions, ChunkReader, CodeStore } from '../types.ts'
import { type ChunkCompressor, createChunkCompressor } from './chunk-compressor.ts'
import { createStreamSlots, type StreamSlot } from './stream-slots.ts'
import { createUploadQueue, type UploadSlot } from './upload-queue.ts'

export type ServerComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'open' | 'images'>
  /** default: beside the main thread */
  readonly zstd?: Pick<Zstd, 'compress'> | undefined
}

/** Made once: each would look for its stack, for every chunk. */
const SLOW_READER = new TimeoutError('the peer takes too long to read')
const IDLE = new TimeoutError('the peer asked for nothing')

type Frame = { readonly frame: Uint8Array; readonly bytes: Uint8Array }

type Session = {
  readonly stream: MessageStream
  readonly signal: AbortSignal | undefined
  /** undefined: it is turned away */
  readonly slot: StreamSlot | undefined
  /** The code of the last request, kept open: clients ask for many chunks of one. */
  open?: { key: string; reader: ChunkReader; compress: ChunkCompressor } | undefined
  /** Two frames for whole chunks, in turn: one is filled from the disk while the other is on its way. */
  readonly frames: Frame[]
  /** The frame on its way; the next one waits for it. */
  sending: Promise<void>
  /** Is the way to this peer slower than compressing is? Unknown until a whole chunk went to it uncompressed. */
  slow: boolean | undefined
  chunks: number
  bytes: number
}

/** Answers archive streams: requests one after another, each chunk read when it can be sent. */
export function createArchiveServer(components: ServerComponents) {
  const { clock, events, log, zstd = threadedZstd() } = components
  const slots = createStreamSlots(clock, ARCHIVE_STREAMS)
  const uploads = createUploadQueue(clock)
  /** Frames for whole chunks that no session uses: memory of each session's own would have the collector run all the time. */
  const spare: Frame[] = []
  /** What was found of a code's chunks holds for every stream that asks for them. */
  const compressors = new LruMap<string, ChunkCompressor>(MAX_STREAMS)

  function compressorOf(code: string): ChunkCompressor {
    const compressor = compressors.get(code) ?? createChunkCompressor(zstd.compress)
    compressors.set(code, compressor)
    return compressor
  }

  /** Resolves when the frame's turn has come. `reuse`: the frame will be filled again, when the one after it has its turn. */
  async function send(session: Session, frame: Uint8Array, reuse = false): Promise<void> {
    await session.sending
    session.sending = transmit(session, frame, reuse)
    session.sending.catch((error) => session.stream.abort(error))
  }

  /** Sends a chunk when it is its turn. False where that takes too long. */
  async function sendChunk(session: Session, code: string, index: number, frame: Uint8Array, reuse: boolean) {
    await session.sending
    const upload = { peer: session.stream.peer, chunk: `${code}/${index}`, bytes: frame.byteLength }
    const slot = await uploads.take(upload, session)
    if (slot === undefined) return false
    session.sending = transmitAs(slot, session, frame, reuse)
    session.sending.catch((error) => session.stream.abort(error))
    return true
  }

  async function transmitAs(slot: UploadSlot, session: Session, frame: Uint8Array, reuse: boolean): Promise<void> {
    using _slot = slot
    await transmit(session, frame, reuse)
  }

  async function transmit(session: Session, frame: Uint8Array, reuse: boolean): Promise<void> {
    using limit = deadline(clock, SEND_MS, SLOW_READER, session.signal)
    const startedAt = clock.monotonic()
    await session.stream.write(frame, { signal: limit.signal, reuse })
    if (frame.byteLength <= CHUNK_BYTES) return
    session.slow = clock.monotonic() - startedAt > (frame.byteLength / FAST_BYTES_PER_SECOND) * 1000
  }

  const refuse = (session: Session, message: string) => send(session, encodeArchiveAnswer({ is: 'error', message }))

  async function nextRequest({ stream, signal }: Session): Promise<ArchiveRequest | undefined> {
    using limit = deadline(clock, IDLE_MS, IDLE, signal)
    const bytes = await stream.read(limit)
    if (bytes === undefined) return undefined
    return decodeArchiveRequest(bytes)
  }

  async function openCode(session: Session, request: ArchiveRequest): Promise<Session['open']> {
    const key = request.code.toString()
    if (session.open?.key === key) return session.open
    const before = session.open
    session.open = undefined
    await before?.reader[Symbol.asyncDispose]()
    const reader = await components.store.open(request.code)
    if (reader !== undefined) session.open = { key, reader, compress: compressorOf(key) }
    return session.open
  }

  async function answer(session: Session, request: ArchiveRequest): Promise<void> {
    if (isImageCid(request.code)) return answerImage(session, request)
    const opened = await openCode(session, request)
    if (opened === undefined || request.want === 'blob') return refuse(session, 'this code is not here')
    const { key, reader, compress } = opened
    if (request.want === 'manifest') return send(session, encodeArchiveAnswer({ is: 'bytes', bytes: reader.encoded }))
    const end = Math.min(request.first + request.count, reader.manifest.chunks.length)
    for (let index = request.first; index < end; index++) {
      const length = chunkLength(reader.manifest, index)
      const { frame, bytes } = frameFor(session, length, spare)
      if (!(await readChunk(reader, index, bytes))) return refuse(session, `chunk ${index} is not here`)
      const worthwhile = request.zstd && (session.slow ?? length < CHUNK_BYTES)
      const small = worthwhile ? await compress(bytes, zstdAnswer) : undefined
      const isSent =
        small === undefined
          ? await sendChunk(session, key, index, frame, true)
          : await sendChunk(session, key, index, small, false)
      if (!isSent) return refuse(session, `chunk ${index} has to wait for others; ask again later`)
      countChunk(session, length)
    }
    if (end < request.first + request.count) await refuse(session, `chunk ${Math.max(end, request.first)} is not here`)
  }

  async function answerImage(session: Session, request: ArchiveRequest): Promise<void> {
    const image = components.store.images.open(request.code)
    if (image === undefined || request.want === 'chunks') return refuse(session, 'this image is not here')
    if (request.want === 'manifest') return send(session, encodeArchiveAnswer({ is: 'bytes', bytes: image.encoded }))
    const digest = Buffer.from(request.digest).toString('hex')
    const size = (await image.blobSize(digest)) ?? 0
    if (request.offset >= size) return refuse(session, 'this blob is not here')
    const length = Math.min(request.length, size - request.offset)
    const { frame, bytes } = frameFor(session, length, spare)
    if (!(await image.read(digest, request.offset, bytes))) return refuse(session, 'this blob is not here')
    await send(session, frame, true)
    countChunk(session, length)
  }

  /** Waits until the client has left: a reset could overtake the answer. */
  async function rejectSession(session: Session): Promise<void> {
    await nextRequest(session)
    await refuse(session, 'too many archive streams; ask again later')
    await session.sending
    await session.stream.end()
    using limit = deadline(clock, CLOSE_GRACE_MS, new TimeoutError('the peer does not leave'), session.signal)
    while ((await session.stream.read(limit)) !== undefined);
  }

  async function serve(session: Session): Promise<void> {
    const { stream } = session
    if (session.slot === undefined) return rejectSession(session)
    for (let request = await nextRequest(session); request !== undefined; request = await nextRequest(session)) {
      await answer(session, request)
    }
    await session.sending
    await stream.end()
  }

  /** Answers one stream until it ends. Never rejects: what a peer does wrong ends its stream only. */
  return async function handle(stream: MessageStream, options: AbortOptions = {}): Promise<void> {
    using slot = slots.take(stream.peer, (reason) => stream.abort(reason))
    const session: Session = {
      stream,
      signal: options.signal,
      slot,
      frames: [],
      sending: Promise.resolve(),
      slow: undefined,
      chunks: 0,
      bytes: 0,
    }
    // whatever ends the stream, the file that it had open is closed
    await using _opened = { [Symbol.asyncDispose]: async () => await session.open?.reader[Symbol.asyncDispose]() }
    try {
      await serve(session)
      spare.push(...session.frames.slice(0, MAX_SPARE_FRAMES - spare.length))
    } catch (error) {
      log.debug('an archive stream failed', { peer: stream.peer, error: sanitizeText(messageOf(error)) })
      stream.abort(error instanceof Error ? error : new UnavailableError('the archive stream failed'))
    } finally {
      await stream[Symbol.asyncDispose]()
      if (session.chunks > 0)
        events.emit('code:served', { peer: stream.peer, chunks: session.chunks, bytes: session.bytes })
    }
  }
}

function countChunk(session: Session, bytes: number): void {
  session.chunks++
  session.bytes += bytes
  session.slot?.carried(bytes)
}

function zstdAnswer(bytes: Uint8Array): Uint8Array {
  return encodeArchiveAnswer({ is: 'zstd', bytes })
}

/** A frame that nothing refers to any more: the one before the last, whose turn ended before the last one's began. */
function frameFor({ frames }: Session, length: number, spare: Frame[]): Frame {
  if (length < CHUNK_BYTES) return chunkAnswer(length)
  const free = frames.length < 2 ? (spare.pop() ?? chunkAnswer(CHUNK_BYTES)) : (frames.shift() as Frame)
  frames.push(free)
  return free
}

/** A chunk that this disk has lost is one that is not here. */
async function readChunk(reader: ChunkReader, index: number, bytes: Uint8Array): Promise<boolean> {
  try {
    return await reader.read(index, bytes)
  } catch (error) {
    if (error instanceof HashMismatchError) return false
    throw error
  }
}
