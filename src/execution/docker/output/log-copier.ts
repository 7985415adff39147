import { addAbortListener } from 'node:events'
import { Readable } from 'node:stream'
import { type Clock, sleep } from '../../../base/clock.ts'
import { createTokenBucket } from '../../../base/token-bucket.ts'
import { LOG_ATTACH_BURST_BYTES, LOG_BURST_BYTES, LOG_BYTES_PER_SECOND } from '../../constants.ts'
import { formatLine } from '../../logs/format.ts'
import type { LogWriter } from '../../logs/writer.ts'
import type { Engine } from '../engine.ts'
import {
  engineLogBytes,
  type Frame,
  formatLogEntry,
  frameBatches,
  isLater,
  type OutputStream,
  parseLogEntry,
  toSeconds,
  totalBytes,
} from './frames.ts'
import { findResumePosition, type LastLines, type LogPosition, readLastLines } from './resume-position.ts'

/** How much later than the engine we may have seen a line: it holds some that we have not read yet. */
const LATE_MS = 120_000

export type Output = {
  /** The container has ended: what is left is bounded by what the engine keeps, and is read at once. */
  unthrottle(): void
  /** Resolves when what the engine has by then is written; after the container has ended, when all of it is. */
  finish(): Promise<void>
  stop(): void
}

export type CopyInput = {
  readonly dir: string
  readonly writer: LogWriter
  readonly clock: Clock
  /** when the container began, in ms since 1970 */
  readonly startedAt: number
  /** how far the engine's clock may be ahead of ours, in ms */
  readonly aheadMs: number
}

/**
 * Copies what the engine keeps of a run's output into our own log files, until the container ends or `stop`: for a run
 * whose node was away. What is in our files already is skipped, and what the engine has dropped meanwhile is said.
 */
export function copyOutput(engine: Engine, name: string, input: CopyInput): Output {
  const { writer, clock } = input
  const ending = new AbortController()
  const seen: Partial<Record<OutputStream, LogPosition>> = {}
  let unthrottled = false
  const followed = begin().catch(() => {})
  void throttle(engine, name, clock, ending.signal)
  return {
    unthrottle() {
      unthrottled = true
    },
    async finish() {
      await followed
      // an engine does not send a follower the last piece of a line without a newline
      if (!ending.signal.aborted) await copy(false).catch(() => {})
      // an engine does not end what is attached to a container that had ended before
      ending.abort()
    },
    stop: () => ending.abort(),
  }

  async function begin(): Promise<void> {
    const lasts = await readLastLines(input)
    if (lasts !== undefined) await resume(lasts)
    await copy(true)
  }

  /** Finds the place where our files end in what the engine keeps. */
  async function resume(lasts: LastLines): Promise<void> {
    const from = Number(lasts.at) - LATE_MS - input.aheadMs
    const frames: Frame[] = []
    for await (const batch of frameBatches(await read(false, toSeconds(`${Math.max(0, from)}`)))) frames.push(...batch)
    const place = findResumePosition(frames, lasts, input.aheadMs)
    Object.assign(seen, place.seen)
    if (place.missing === undefined) return
    const [last, first] = [lasts.at, place.missing].map((at) => new Date(Math.floor(Number(at))).toISOString())
    const text = `output between ${last} and ${first} is missing: the engine no longer kept it when the node came back`
    await writer.write(formatLine('node', place.missing, text))
  }

  async function copy(follow: boolean): Promise<void> {
    const { out, err } = seen
    // a stream of which nothing was seen may have a line from before the other's last
    const first = out === undefined || err === undefined ? undefined : isLater(out.at, err.at) ? err.at : out.at
    const source = await read(follow, first === undefined ? undefined : toSeconds(first))
    using _ended = addAbortListener(ending.signal, () => source.destroy())
    const bucket = createTokenBucket({ burst: LOG_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () =>
      clock.monotonic(),
    )
    const known = { out: seen.out?.count ?? 0, err: seen.err?.count ?? 0 }
    for await (const batch of frameBatches(source)) {
      const text = batch.flatMap(unseenLines).join('')
      // one write for all of them: a flood of short lines is not kept up with otherwise
      if (text !== '') await writer.write(text)
      const cost = Math.min(totalBytes(batch), LOG_BURST_BYTES)
      while (!unthrottled && !bucket.take(cost) && !ending.signal.aborted) await sleep(clock, 50)
    }

    /** A frame as our files have it; nothing where they have it already. */
    function unseenLines(frame: Frame): string[] {
      const { stream } = frame
      const entry = parseLogEntry(frame)
      if (entry === undefined) return []
      const { at, text } = entry
      const last = seen[stream]
      if (last !== undefined && isLater(last.at, at)) return []
      if (last?.at === at && known[stream]-- > 0) return []
      seen[stream] = { at, count: last?.at === at ? last.count + 1 : 1 }
      if (last?.at !== at) known[stream] = 0
      return formatLogEntry(text, stream, at)
    }
  }

  async function read(follow: boolean, from: string | undefined): Promise<Readable> {
    const since = from === undefined ? {} : { since: from as unknown as number }
    const options = { stdout: true, stderr: true, timestamps: true, ...since }
    if (!follow)
      return Readable.from([
        await engine.ask((docker) => docker.getContainer(name).logs({ ...options, follow: false })),
      ])
    return (await engine.ask((docker) => docker.getContainer(name).logs({ ...options, follow: true }))) as Readable
  }
}

/**
 * Reads a run's output a second time, and throws it away: an engine hands a byte on only when every attached
 * client takes it. So a run that writes faster than a log may grow waits, and the engine's own log loses nothing unread.
 */
async function throttle(engine: Engine, name: string, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    const stream = await attachOutput(engine, name)
    using _ended = addAbortListener(signal, () => stream.destroy())
    const bucket = createTokenBucket({ burst: LOG_ATTACH_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () =>
      clock.monotonic(),
    )
    for await (const chunk of stream) {
      for (let due = engineLogBytes(chunk as Buffer); due > 0; due -= LOG_ATTACH_BURST_BYTES)
        while (!bucket.take(Math.min(due, LOG_ATTACH_BURST_BYTES)) && !signal.aborted) await sleep(clock, 50)
    }
  } catch {
    // it has ended, or its engine is gone: nothing is held back
  }
}

/** What a container writes from now on. It waits while this is not read. */
export async function attachOutput(engine: Engine, name: string): Promise<Readable> {
  const attached: unknown = await engine.ask((docker) =>
    docker.getContainer(name).attach({ stream: true, stdout: true, stderr: true }),
  )
  return attached as Readable
}
