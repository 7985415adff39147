import { anySignal } from 'any-signal'
import type { CID } from '../../../protocols/encoding.ts'
import { type ArchiveAnswer, chunkLength } from '../../../protocols/streams/archive.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Zstd } from '../archive/zstd.ts'
import { MAX_REFUSALS, REFUSED_MS, USELESS_MS, WRITES_AHEAD } from '../constants.ts'
import { NoProviderError, SupersededError } from '../errors.ts'
import type { BufferLease, BufferPool } from '../store/buffer-pool.ts'
import type { PartialCode } from '../types.ts'
import { type ArchiveStream, askManifest } from './archive-stream.ts'
import type { Assignee, ChunkPicker } from './chunk-picker.ts'
import type { Provider } from './provider-pool.ts'
import type { RequestWindow } from './request-window.ts'
import type { Target, TransferProgress } from './transfer.ts'

export type ChunkPull = {
  readonly clock: Clock
  readonly code: CID
  readonly buffers: BufferPool
  readonly zstd: Pick<Zstd, 'decompress'>
  readonly provider: Provider
  readonly progress: TransferProgress<PartialCode, ChunkPicker>
}

/**
 * Pulls chunks from one provider until the code is complete. Throws HashMismatchError or ProtocolError where the provider
 * sent invalid data, SupersededError where others brought what it owed, and the original error otherwise; its unfinished
 * chunks are released.
 */
export async function pullChunks(pull: ChunkPull): Promise<void> {
  const { provider, progress, code } = pull
  using buffers = pull.buffers.lease()
  const superseded = new AbortController()
  const signal = anySignal([provider.signal, superseded.signal])
  using _signal = { [Symbol.dispose]: signal.clear }
  const { stream, window } = await provider.open({ signal, allocate: buffers.acquire })
  await using _stream = stream
  const target = progress.target ?? (await progress.begin(await askManifest(stream, code)))
  await pullOn(pull, { stream, window, buffers, superseded }, target)
  await stream.end()
}

type Opened = {
  readonly stream: ArchiveStream
  /** What this provider owes. */
  readonly window: RequestWindow
  readonly buffers: BufferLease
  /** Ends the stream where others brought what the provider owed. */
  readonly superseded: AbortController
}

async function pullOn(
  { clock, code, zstd, provider: { signal }, progress }: ChunkPull,
  { stream, window, buffers, superseded }: Opened,
  { partial, picker }: Target<PartialCode, ChunkPicker>,
): Promise<void> {
  let refusals = 0
  let refusedSince: number | undefined
  const assignee: Assignee = {
    superseded() {
      const owed = window.indexes
      if (owed.length > 0 && !owed.some(picker.wants))
        superseded.abort(new SupersededError('others brought what it owed'))
    },
  }

  const writes = createChunkWrites(async (index, answer) => {
    try {
      const length = chunkLength(partial.manifest, index)
      await partial.write(index, answer.is === 'zstd' ? await zstd.decompress(answer.bytes, length) : answer.bytes)
      picker.completed(index)
      progress.stored()
    } catch (error) {
      picker.release(assignee, index)
      throw error
    } finally {
      buffers.release(answer.bytes)
    }
  })

  async function fillWindow(): Promise<void> {
    while (!window.isFull && refusals < MAX_REFUSALS) {
      const index = picker.next(assignee)
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
      picker.refused(assignee, index)
      if (clock.monotonic() - refusedSince < USELESS_MS) return
      throw new NoProviderError(`it says: ${sanitizeText(answer.message)}`)
    }
    refusals = 0
    refusedSince = undefined
    await writes.add(index, answer)
  }

  try {
    while (!writes.failed) {
      await fillWindow()
      const { first } = window
      if (first !== undefined) await takeAnswer(first)
      else if (writes.pending) await writes.next()
      else if (picker.done) break
      else {
        // one that has refused is not asked again at each change
        if (refusals < MAX_REFUSALS) await picker.waitForChange({ signal })
        else await sleep(clock, REFUSED_MS, { signal })
        refusals = 0
      }
    }
  } finally {
    await writes.settled()
    picker.forget(assignee)
  }
  writes.throwIfFailed()
}

type ChunkAnswer = Exclude<ArchiveAnswer, { is: 'error' }>

/** Chunks of one provider on their way to the disk, a few at once; the first that fails ends the download. */
function createChunkWrites(write: (index: number, answer: ChunkAnswer) => Promise<void>) {
  const writing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  return {
    get failed() {
      return failure !== undefined
    },
    get pending() {
      return writing.size > 0
    },
    /** Resolves when the provider may be read on. */
    async add(index: number, answer: ChunkAnswer): Promise<void> {
      const work = write(index, answer)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => writing.delete(work))
      writing.add(work)
      if (writing.size >= WRITES_AHEAD) await Promise.race(writing)
    },
    next: () => Promise.race(writing),
    settled: () => Promise.all(writing),
    throwIfFailed(): void {
      if (failure !== undefined) throw failure.error
    },
  }
}
