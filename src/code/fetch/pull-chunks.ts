import { anySignal } from 'any-signal'
import { type ArchiveAnswer, chunkLength } from '../../../protocols/archive.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { sanitizeText } from '../../base/format.ts'
import type { StreamOpener } from '../../base/stream.ts'
import { decompressChunk } from '../archive/zstd.ts'
import { MAX_REFUSALS, REFUSED_MS, USELESS_MS, WRITES_AHEAD } from '../constants.ts'
import { NoProviderError, SupersededError } from '../errors.ts'
import type { BufferLease, BufferPool } from '../store/buffer-pool.ts'
import { type ArchiveStream, askManifest, openArchiveStream } from './archive-stream.ts'
import type { Assignee } from './chunk-picker.ts'
import type { Download, Target } from './download.ts'
import type { RequestWindow } from './request-window.ts'

export type ProviderDownload = {
  readonly clock: Clock
  readonly streams: StreamOpener
  readonly code: CID
  readonly peer: string
  readonly buffers: BufferPool
  readonly signal: AbortSignal
  readonly download: Pick<Download, 'target' | 'begin' | 'chunkStored'>
  /** What this provider owes. */
  readonly window: RequestWindow
}

/**
 * Pulls chunks from one provider until the code is complete. Throws HashMismatchError or ProtocolError where the provider
 * sent invalid data, SupersededError where others brought what it owed, and the original error otherwise; its unfinished
 * chunks are released.
 */
export async function downloadFrom(pull: ProviderDownload): Promise<void> {
  using buffers = pull.buffers.lease()
  const superseded = new AbortController()
  const signal = anySignal([pull.signal, superseded.signal])
  using _signal = { [Symbol.dispose]: signal.clear }
  await using stream = await openArchiveStream(pull, pull.peer, { signal, allocate: buffers.acquire })
  const target = pull.download.target ?? (await pull.download.begin(await askManifest(stream, pull.code)))
  await pullChunks(pull, { stream, buffers, superseded }, target)
  await stream.end()
}

type Opened = {
  readonly stream: ArchiveStream
  readonly buffers: BufferLease
  /** Ends the stream where others brought what the provider owed. */
  readonly superseded: AbortController
}

async function pullChunks(
  pull: ProviderDownload,
  { stream, buffers, superseded }: Opened,
  { partial, picker }: Target,
): Promise<void> {
  const { clock, code, window } = pull
  const writing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  let refusals = 0
  let refusedSince: number | undefined
  const provider: Assignee = {
    superseded() {
      const owed = window.indexes
      if (owed.length > 0 && !owed.some(picker.wants))
        superseded.abort(new SupersededError('others brought what it owed'))
    },
  }

  const store = async (index: number, answer: Exclude<ArchiveAnswer, { is: 'error' }>) => {
    try {
      const length = chunkLength(partial.manifest, index)
      await partial.write(index, answer.is === 'zstd' ? await decompressChunk(answer.bytes, length) : answer.bytes)
      pull.download.chunkStored(index)
    } catch (error) {
      picker.release(provider, index)
      failure ??= { error }
    } finally {
      buffers.release(answer.bytes)
    }
  }

  async function fillWindow(): Promise<void> {
    while (!window.isFull && refusals < MAX_REFUSALS) {
      const index = picker.next(provider)
      if (index === undefined) return
      window.push(index)
      await stream.send({ v: 1, want: 'chunks', code, first: index, count: 1, zstd: true })
    }
  }

  async function takeAnswer(index: number): Promise<void> {
    const answer = await stream.receive()
    window.shift(answer.is !== 'error')
    if (answer.is === 'error') {
      refusals++
      refusedSince ??= clock.monotonic()
      picker.refused(provider, index)
      if (clock.monotonic() - refusedSince < USELESS_MS) return
      throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
    }
    refusals = 0
    refusedSince = undefined
    const work = store(index, answer).finally(() => writing.delete(work))
    writing.add(work)
    if (writing.size >= WRITES_AHEAD) await Promise.race(writing)
  }

  try {
    while (failure === undefined) {
      await fillWindow()
      const { first } = window
      if (first !== undefined) await takeAnswer(first)
      else if (writing.size > 0) await Promise.race(writing)
      else if (picker.done) break
      else {
        // one that has refused is not asked again at each change
        if (refusals < MAX_REFUSALS) await picker.waitForChange(pull)
        else await sleep(clock, REFUSED_MS, pull)
        refusals = 0
      }
    }
  } finally {
    await Promise.all(writing)
    picker.forget(provider)
  }
  if (failure !== undefined) throw failure.error
}
