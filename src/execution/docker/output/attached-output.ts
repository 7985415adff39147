import type { Readable } from 'node:stream'
import { type Clock, sleep } from '../../../base/clock.ts'
import { createTokenBucket } from '../../../base/token-bucket.ts'
import { LOG_BURST_BYTES, LOG_BYTES_PER_SECOND, MAX_RUN_LOG_LINE } from '../../constants.ts'
import { createSplitter, formatLine } from '../../logs/format.ts'
import type { LogWriter } from '../../logs/writer.ts'
import { engineLogBytes, type Frame, frameBatches, type OutputStream } from './frames.ts'
import type { Output } from './log-copier.ts'

/** Output that is not taken yet holds its container back; not for longer than this. */
const TAKE_MS = 10_000
/** A container has ended when its output has, but for this long; else it was not the end. */
const END_MS = 2000

/** What a container writes, from its first byte on, for the first that takes it. */
export type AttachedStream = { take(): Readable | undefined; close(): void }

export function createAttachedStream(source: Readable, clock: Clock): AttachedStream {
  let held: Readable | undefined = source
  source.on('error', () => {})
  const take = () => {
    const taken = held?.destroyed === true ? undefined : held
    held = undefined
    limit.cancel()
    return taken
  }
  const close = () => void take()?.destroy()
  const limit = clock.after(TAKE_MS, close)
  return { take, close }
}

/**
 * Writes the output of a container that was attached to before it began into our log files: every byte of it, for the
 * engine hands on what is read and no more. A run that writes faster than a log may grow waits. If the connection breaks,
 * `resume` goes on from what the engine keeps.
 */
export function writeAttachedOutput(
  source: Readable,
  { writer, clock, resume }: { writer: LogWriter; clock: Clock; resume(): Output },
): Output {
  const splitters = { out: createSplitter(MAX_RUN_LOG_LINE), err: createSplitter(MAX_RUN_LOG_LINE) }
  const over = Promise.withResolvers<boolean>()
  let unthrottled = false
  let stopped = false
  let resumed: Output | undefined
  const written = write().catch(() => {})
  return {
    unthrottle() {
      unthrottled = true
      over.resolve(true)
      resumed?.unthrottle()
    },
    finish: () => written,
    stop() {
      stopped = true
      source.destroy()
      resumed?.stop()
    },
  }

  async function write(): Promise<void> {
    const ended = await pump().then(
      () => Promise.race([over.promise, sleep(clock, END_MS).then(() => false)]),
      () => false,
    )
    if (stopped) return
    if (ended) return writer.write(STREAMS.flatMap((stream) => linesOf(stream, splitters[stream].end())).join(''))
    resumed = resume()
    if (unthrottled) resumed.unthrottle()
    await resumed.finish()
  }

  async function pump(): Promise<void> {
    const bucket = createTokenBucket({ burst: LOG_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () =>
      clock.monotonic(),
    )
    for await (const batch of frameBatches(source)) {
      const text = batch.flatMap(({ stream, bytes }) => linesOf(stream, splitters[stream].push(bytes))).join('')
      if (text !== '') await writer.write(text)
      for (let due = logBytesOf(batch, text); due > 0; due -= LOG_BURST_BYTES)
        while (!unthrottled && !stopped && !bucket.take(Math.min(due, LOG_BURST_BYTES))) await sleep(clock, 50)
    }
  }

  function linesOf(stream: OutputStream, lines: readonly string[]): string[] {
    return lines.map((line) => formatLine(stream, clock.now(), line))
  }
}

const STREAMS = ['out', 'err'] as const

/** What it adds to our files, or to the engine's log, whichever is more. */
function logBytesOf(batch: readonly Frame[], text: string): number {
  return Math.max(
    Buffer.byteLength(text),
    batch.reduce((cost, { bytes }) => cost + engineLogBytes(bytes), 0),
  )
}
