import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { type Clock, sleep } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { createBucket } from '../../base/queue.ts'
import {
  ENGINE_LINE_COST,
  LOG_ATTACH_BURST_BYTES,
  LOG_BURST_BYTES,
  LOG_BYTES_PER_SECOND,
  MAX_LOG_LINE,
} from '../constants.ts'
import { CONTINUED, cutLine, formatLine, type LogStream } from '../logs/format.ts'
import { lastWritten } from '../logs/reader.ts'
import type { LogWriter } from '../logs/writer.ts'
import type { Engine } from './engine.ts'

/** The engine's lines begin with a time like 2026-11-23T21:00:00.123456789Z. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z ?/

const HEADER_BYTES = 8
/** Frames that are written at once. */
const BATCH_FRAMES = 1024
const NEWLINE = 10
const SPACE = 32
/** Beside control characters, what the engine's JSON spells as \u003c. */
const ESCAPED: ReadonlySet<number> = new Set(Buffer.from('<>&"\\\x7f'))
const ESCAPE_COST = 5
const ENGINE_LINE_BYTES = 16 * 1024
/** The engine cuts lines at 16 KiB; in front of them stands their time. */
const MAX_FRAME_BYTES = 1024 * 1024

type Frame = { stream: 'out' | 'err'; bytes: Buffer }

/** The last frame of a stream that was written, and how many with its time: pieces of one line share theirs. */
type Seen = { at: string; count: number }

export type Output = {
  /** The container has ended: what is left is bounded by what the engine keeps, and is read at once. */
  hurry(): void
  /** Resolves when what the engine has by then is written; after the container has ended, when all of it is. */
  finish(): Promise<void>
  stop(): void
}

/**
 * Copies what the engine keeps of a run's output into our own log files, until the container ends or `stop`. The
 * engine writes it down first, so that nothing is lost while the node is away; what is in our files already is skipped.
 */
export function copyOutput(
  engine: Engine,
  container: Docker.Container,
  { dir, writer, clock }: { dir: string; writer: LogWriter; clock: Clock },
): Output {
  const ending = new AbortController()
  const seen: Partial<Record<'out' | 'err', Seen>> = {}
  let hurried = false
  const followed = begin().catch(() => {})
  void holdBack(engine, container, clock, ending.signal)
  return {
    hurry() {
      hurried = true
    },
    async finish() {
      await followed
      // Who follows is not told the last piece of a line without a newline.
      if (!ending.signal.aborted) await copy(false).catch(() => {})
    },
    stop: () => ending.abort(),
  }

  async function begin(): Promise<void> {
    const last = await lastWritten(dir, 'run')
    if (last !== undefined) {
      for (const stream of ['out', 'err'] as const) seen[stream] = { at: last, count: Number.POSITIVE_INFINITY }
    }
    await copy(true)
  }

  async function copy(follow: boolean): Promise<void> {
    const source = await read(follow)
    const stop = () => source.destroy()
    ending.signal.addEventListener('abort', stop, { once: true })
    if (ending.signal.aborted) stop()
    const bucket = createBucket({ burst: LOG_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () => clock.monotonic())
    const known = { out: seen.out?.count ?? 0, err: seen.err?.count ?? 0 }
    for await (const batch of batches(source)) {
      const text = batch.map(fresh).join('')
      // one write for all of them: a flood of short lines is not kept up with otherwise
      if (text !== '') await writer.write(text)
      const cost = Math.min(sum(batch), LOG_BURST_BYTES)
      while (!hurried && !bucket.take(cost) && !ending.signal.aborted) await sleep(clock, 50)
    }

    /** A frame as our files have it; empty where they have it already. */
    function fresh({ stream, bytes }: Frame): string {
      const frame = bytes.toString('utf8')
      const match = STAMP.exec(frame)
      if (match === null) return ''
      const at = milliseconds(match[1] as string, match[2] ?? '')
      const last = seen[stream]
      if (last !== undefined && later(last.at, at)) return ''
      if (last?.at === at && known[stream]-- > 0) return ''
      seen[stream] = { at, count: last?.at === at ? last.count + 1 : 1 }
      if (last?.at !== at) known[stream] = 0
      return stored(frame.slice(match[0].length), stream, at)
    }
  }

  async function read(follow: boolean): Promise<Readable> {
    const { out, err } = seen
    // a stream of which nothing was seen may have a line from before the other's last
    const first = out === undefined || err === undefined ? undefined : later(out.at, err.at) ? err.at : out.at
    const since = first === undefined ? {} : { since: seconds(first) as unknown as number }
    const options = { stdout: true, stderr: true, timestamps: true, ...since }
    if (!follow) return Readable.from([await engine.ask(container.logs({ ...options, follow: false }))])
    return (await engine.ask(container.logs({ ...options, follow: true }))) as Readable
  }
}

/**
 * Reads a run's output a second time, and throws it away: an engine hands a byte on only when everybody who is attached
 * takes it. So who writes faster than a log may grow waits, and the engine's own log loses nothing that was not read.
 */
async function holdBack(engine: Engine, container: Docker.Container, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    const attached: unknown = await engine.ask(container.attach({ stream: true, stdout: true, stderr: true }))
    const stream = attached as Readable
    const stop = () => void stream.destroy()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const bucket = createBucket({ burst: LOG_ATTACH_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () =>
      clock.monotonic(),
    )
    for await (const chunk of stream) {
      for (let due = engineCost(chunk as Buffer); due > 0; due -= LOG_ATTACH_BURST_BYTES)
        while (!bucket.take(Math.min(due, LOG_ATTACH_BURST_BYTES)) && !signal.aborted) await sleep(clock, 50)
    }
  } catch {
    // it has ended, or its engine is gone: nobody is held back
  }
}

/**
 * The engine's framing: one byte says which stream, bytes 4 to 7 how much follows. A frame is one line with its time, or
 * one piece of a line that the engine has cut, with no newline at its end.
 */
async function* batches(source: AsyncIterable<Buffer>): AsyncGenerator<Frame[]> {
  let batch: Frame[] = []
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const size = rest.byteLength < HEADER_BYTES ? Number.POSITIVE_INFINITY : rest.readUInt32BE(4)
      if (rest.byteLength < HEADER_BYTES + size) {
        if (Number.isFinite(size) && size > MAX_FRAME_BYTES)
          throw new UnavailableError('the engine sends no such frames')
        break
      }
      batch.push({ stream: rest[0] === 2 ? 'err' : 'out', bytes: rest.subarray(HEADER_BYTES, HEADER_BYTES + size) })
      rest = rest.subarray(HEADER_BYTES + size)
      if (batch.length < BATCH_FRAMES) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
    batch = []
  }
}

/** What the engine's log grows by: each line has its names and time beside it, and JSON spells some characters longer. */
function engineCost(bytes: Buffer): number {
  let cost = bytes.byteLength
  for (const byte of bytes) {
    if (byte === NEWLINE) cost += ENGINE_LINE_COST
    else if (byte < SPACE || ESCAPED.has(byte)) cost += ESCAPE_COST
  }
  return cost
}

function sum(batch: readonly Frame[]): number {
  return batch.reduce((bytes, frame) => bytes + frame.bytes.byteLength, 0)
}

/** A frame as our files have it. */
function stored(text: string, stream: LogStream, at: string): string {
  // the engine cuts lines, too: at 16 KiB, with no newline at the end of a piece
  const cut = !text.endsWith('\n') && Buffer.byteLength(text) >= ENGINE_LINE_BYTES ? CONTINUED : ''
  const lines = cutLine(text.replace(/\n$/, '') + cut, MAX_LOG_LINE)
  return lines.map((line) => formatLine(stream, at, line)).join('')
}

/** Milliseconds with all nine digits of the engine's fraction: no number holds them. */
function milliseconds(whole: string, fraction: string): string {
  const nine = fraction.padEnd(9, '0')
  return `${Date.parse(`${whole}Z`) + Number(nine.slice(0, 3))}.${nine.slice(3)}`
}

/** Text of ms with a fraction -> text of seconds with nine digits. */
function seconds(ms: string): string {
  const [whole = '0', fraction = ''] = ms.split('.')
  return `${Math.floor(Number(whole) / 1000)}.${String(Number(whole) % 1000).padStart(3, '0')}${fraction.padEnd(6, '0')}`
}

function later(at: string, than: string): boolean {
  const [a = '0', aFraction = ''] = at.split('.')
  const [b = '0', bFraction = ''] = than.split('.')
  return Number(a) > Number(b) || (a === b && aFraction.padEnd(6, '0') > bFraction.padEnd(6, '0'))
}
