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
import { grow } from '../archive/zstd.ts'
import { ANSWER_MS, MAX_MISSES, OPEN_MS, REQUESTS_AHEAD, WRITES_AHEAD } from '../constants.ts'
import { NoProviderError, WrongBytesError } from '../errors.ts'
import type { BufferPool, Buffers } from '../store/buffer-pool.ts'
import type { Target, Transfer } from './download.ts'

export type Pull = {
  readonly clock: Clock
  readonly streams: StreamOpener
  readonly code: CID
  readonly peer: string
  readonly buffers: BufferPool
  readonly signal: AbortSignal
  readonly transfer: Pick<Transfer, 'target' | 'begin' | 'landed'>
}

/**
 * Pulls chunks from one provider until there is nothing left for it. Throws WrongBytesError or ProtocolError where the
 * provider lied, and whatever else went wrong otherwise; what it still owed goes back to the plan.
 */
export async function pullFrom(pull: Pull): Promise<void> {
  using buffers = pull.buffers.lease()
  await using stream = await open(pull, buffers)
  const target = pull.transfer.target ?? (await pull.transfer.begin(await askManifest(pull, stream)))
  await pullChunks(pull, stream, target, buffers)
  await stream.end()
}

async function askManifest(pull: Pull, stream: MessageStream): Promise<Uint8Array> {
  await send(pull, stream, { v: 1, want: 'manifest', code: pull.code })
  const answer = await receive(pull, stream)
  if (answer.is === 'bytes') return answer.bytes
  if (answer.is === 'error') throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
  throw new WrongBytesError('the manifest came compressed')
}

async function pullChunks(
  pull: Pull,
  stream: MessageStream,
  { partial, plan }: Target,
  buffers: Buffers,
): Promise<void> {
  const { peer, code } = pull
  const owed: number[] = []
  const missing = new Set<number>()
  const landing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined

  const land = async (index: number, answer: Exclude<ArchiveAnswer, { is: 'error' }>) => {
    try {
      const length = chunkLength(partial.manifest, index)
      await partial.write(index, answer.is === 'zstd' ? await grow(answer.bytes, length) : answer.bytes)
      pull.transfer.landed(index)
    } catch (error) {
      plan.release(peer, index)
      failure ??= { error }
    } finally {
      buffers.give(answer.bytes)
    }
  }
  try {
    for (;;) {
      while (owed.length < REQUESTS_AHEAD) {
        const index = plan.take(peer, missing)
        if (index === undefined) break
        owed.push(index)
        await send(pull, stream, { v: 1, want: 'chunks', code, first: index, count: 1, zstd: true })
      }
      const [index] = owed
      if (index === undefined) {
        if (plan.done || missing.size > 0) break
        if (landing.size > 0) await Promise.race(landing)
        else await plan.changed(pull)
      } else {
        const answer = await receive(pull, stream)
        owed.shift()
        if (answer.is === 'error') {
          missing.add(index)
          plan.release(peer, index)
          if (missing.size > MAX_MISSES) throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
        } else {
          const work = land(index, answer).finally(() => landing.delete(work))
          landing.add(work)
          if (landing.size >= WRITES_AHEAD) await Promise.race(landing)
        }
      }
      if (failure !== undefined) throw failure.error
    }
  } finally {
    for (const index of owed) plan.release(peer, index)
    await Promise.all(landing)
  }
  if (failure !== undefined) throw failure.error
}

async function open({ clock, streams, peer, signal }: Pull, buffers: Buffers): Promise<MessageStream> {
  using limit = deadline(clock, OPEN_MS, new TimeoutError('the provider did not answer the call'), signal)
  return await streams.open(peer, ARCHIVE_PROTOCOL, { signal: limit.signal, allocate: buffers.take })
}

async function send(pull: Pull, stream: MessageStream, request: ArchiveRequest): Promise<void> {
  using limit = deadline(pull.clock, ANSWER_MS, new TimeoutError('the provider takes no requests'), pull.signal)
  await stream.write(encodeArchiveRequest(request), limit)
}

async function receive(pull: Pull, stream: MessageStream): Promise<ArchiveAnswer> {
  using limit = deadline(pull.clock, ANSWER_MS, new TimeoutError('the provider does not answer'), pull.signal)
  const bytes = await stream.read(limit)
  if (bytes === undefined) throw new UnavailableError('the provider ended the stream')
  return decodeArchiveAnswer(bytes)
}
