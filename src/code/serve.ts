import {
  type ArchiveAnswer,
  type ArchiveRequest,
  decodeArchiveRequest,
  encodeArchiveAnswer,
} from '../../protocols/archive.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { MAX_REQUEST_BYTES } from '../../protocols/limits.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { messageOf, TimeoutError, UnavailableError } from '../base/errors.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { MessageStream } from '../base/stream.ts'
import { printable } from '../base/text.ts'
import { IDLE_MS, LEAVE_MS, MAX_STREAMS, MAX_STREAMS_PER_PEER, PLAIN_AFTER_MISS, SEND_MS } from './constants.ts'
import type { ChunkReader, CodeStore, Signalled } from './contract.ts'
import { WrongBytesError } from './errors.ts'
import type { CodeEvents } from './events.ts'
import { shrink } from './zstd.ts'

export type ServerComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'open'>
}

type Session = {
  readonly stream: MessageStream
  readonly signal: AbortSignal | undefined
  /** The code of the last request, kept open: clients ask for many chunks of one. */
  open?: { key: string; reader: ChunkReader } | undefined
  /** Chunks still to be sent without trying to compress them. */
  plain: number
  chunks: number
  bytes: number
}

/** Answers archive streams: requests one after another, each chunk read when there is room to send it. */
export function createArchiveServer(components: ServerComponents) {
  const { clock, events, log } = components
  const perPeer = new Map<string, number>()
  let streams = 0

  async function send(session: Session, answer: ArchiveAnswer): Promise<void> {
    using limit = deadline(clock, SEND_MS, new TimeoutError('the peer takes too long to read'), session.signal)
    await session.stream.write(encodeArchiveAnswer(answer), limit)
  }

  async function nextRequest({ stream, signal }: Session): Promise<ArchiveRequest | undefined> {
    using limit = deadline(clock, IDLE_MS, new TimeoutError('the peer asked for nothing'), signal)
    const bytes = await stream.read(limit)
    if (bytes === undefined) return undefined
    if (bytes.byteLength > MAX_REQUEST_BYTES) throw new ProtocolError('', `has more than ${MAX_REQUEST_BYTES} bytes`)
    return decodeArchiveRequest(bytes)
  }

  async function readerOf(session: Session, request: ArchiveRequest): Promise<ChunkReader | undefined> {
    const key = request.code.toString()
    if (session.open?.key === key) return session.open.reader
    await session.open?.reader[Symbol.asyncDispose]()
    session.open = undefined
    const reader = await components.store.open(request.code)
    if (reader !== undefined) session.open = { key, reader }
    return reader
  }

  async function answer(session: Session, request: ArchiveRequest): Promise<void> {
    const reader = await readerOf(session, request)
    if (reader === undefined) return send(session, { is: 'error', message: 'this code is not here' })
    if (request.want === 'manifest') return send(session, { is: 'bytes', bytes: reader.encoded })
    for (let index = request.first; index < request.first + request.count; index++) {
      const chunk = await reader.read(index).catch((error) => {
        if (error instanceof WrongBytesError) return undefined
        throw error
      })
      if (chunk === undefined) return send(session, { is: 'error', message: `chunk ${index} is not here` })
      await send(session, request.zstd ? await compressed(session, chunk) : { is: 'bytes', bytes: chunk })
      session.chunks++
      session.bytes += chunk.byteLength
    }
  }

  async function compressed(session: Session, chunk: Uint8Array): Promise<ArchiveAnswer> {
    if (session.plain > 0) {
      session.plain--
      return { is: 'bytes', bytes: chunk }
    }
    const small = await shrink(chunk)
    if (small !== undefined) return { is: 'zstd', bytes: small }
    session.plain = PLAIN_AFTER_MISS
    return { is: 'bytes', bytes: chunk }
  }

  /** Waits until the client has left: a reset could overtake the answer. */
  async function turnAway(session: Session): Promise<void> {
    await nextRequest(session)
    await send(session, { is: 'error', message: 'too many archive streams; ask again later' })
    await session.stream.end()
    using limit = deadline(clock, LEAVE_MS, new TimeoutError('the peer does not leave'), session.signal)
    while ((await session.stream.read(limit)) !== undefined);
  }

  async function serve(session: Session): Promise<void> {
    const { stream } = session
    if (streams > MAX_STREAMS || (perPeer.get(stream.peer) ?? 0) > MAX_STREAMS_PER_PEER) {
      return turnAway(session)
    }
    for (let request = await nextRequest(session); request !== undefined; request = await nextRequest(session)) {
      await answer(session, request)
    }
    await stream.end()
  }

  /** Answers one stream until it ends. Never rejects: what a peer does wrong ends its stream only. */
  return async function handle(stream: MessageStream, options: Signalled = {}): Promise<void> {
    const session: Session = { stream, signal: options.signal, plain: 0, chunks: 0, bytes: 0 }
    streams++
    perPeer.set(stream.peer, (perPeer.get(stream.peer) ?? 0) + 1)
    try {
      await serve(session)
    } catch (error) {
      log.debug('an archive stream failed', { peer: stream.peer, error: printable(messageOf(error)) })
      stream.abort(error instanceof Error ? error : new UnavailableError('the archive stream failed'))
    } finally {
      streams--
      const left = (perPeer.get(stream.peer) as number) - 1
      if (left > 0) perPeer.set(stream.peer, left)
      else perPeer.delete(stream.peer)
      await session.open?.reader[Symbol.asyncDispose]()
      await stream[Symbol.asyncDispose]()
      if (session.chunks > 0)
        events.emit('code:served', { peer: stream.peer, chunks: session.chunks, bytes: session.bytes })
    }
  }
}
