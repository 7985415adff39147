import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { createBucket } from '../../base/queue.ts'
import { LOG_BURST_BYTES, LOG_BYTES_PER_SECOND, MAX_LOG_LINE } from '../constants.ts'
import { createSplitter, formatLine, type LogStream } from '../logs/format.ts'
import { lastWritten } from '../logs/reader.ts'
import type { LogWriter } from '../logs/writer.ts'
import { ask } from './engine.ts'

/** The engine's lines begin with a time like 2026-11-23T21:00:00.123456789Z. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,9})Z ?/

/** A line comes with its time and a blank in front. */
const STAMP_ROOM = 32
const HEADER_BYTES = 8

export type Output = { done: Promise<void>; stop(): void }

/**
 * Copies what the engine keeps of a run's output into our own log files, until the container ends or `stop`. The
 * engine writes it down first, so that nothing is lost while the node is away; what is in our files already is skipped.
 */
export function copyOutput(
  container: Docker.Container,
  { dir, writer, clock }: { dir: string; writer: LogWriter; clock: Clock },
): Output {
  const ending = new AbortController()
  return { done: copy().catch(() => {}), stop: () => ending.abort() }

  async function copy(): Promise<void> {
    const last = await lastWritten(dir, 'run')
    const since = last === undefined ? {} : { since: seconds(last) as unknown as number }
    const options = { follow: true as const, stdout: true, stderr: true, timestamps: true, ...since }
    const source = await ask(container.logs(options))
    const stop = () => destroy(source)
    ending.signal.addEventListener('abort', stop, { once: true })
    if (ending.signal.aborted) stop()
    const bucket = createBucket({ burst: LOG_BURST_BYTES, perSecond: LOG_BYTES_PER_SECOND }, () => clock.monotonic())
    const splitters = { out: createSplitter(MAX_LOG_LINE + STAMP_ROOM), err: createSplitter(MAX_LOG_LINE + STAMP_ROOM) }
    const put = async (stream: 'out' | 'err', lines: string[]) => {
      const text = lines.flatMap((line) => stored(line, stream, last, clock.now()) ?? []).join('')
      if (text !== '') await writer.write(text)
    }
    for await (const { stream, bytes } of frames(source as AsyncIterable<Buffer>)) {
      await put(stream, splitters[stream].push(bytes))
      while (!bucket.take(bytes.byteLength) && !ending.signal.aborted) await sleep(clock, 50)
    }
    for (const stream of ['out', 'err'] as const) await put(stream, splitters[stream].end())
  }
}

/** The engine's framing: one byte says which stream, bytes 4 to 7 how much follows. A frame is handed on as it comes in. */
async function* frames(source: AsyncIterable<Buffer>): AsyncGenerator<{ stream: 'out' | 'err'; bytes: Buffer }> {
  let rest: Buffer = Buffer.alloc(0)
  let left = 0
  let stream: 'out' | 'err' = 'out'
  for await (const chunk of source) {
    rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      if (left === 0) {
        if (rest.byteLength < HEADER_BYTES) break
        stream = rest[0] === 2 ? 'err' : 'out'
        left = rest.readUInt32BE(4)
        rest = rest.subarray(HEADER_BYTES)
      }
      if (rest.byteLength === 0) break
      const bytes = rest.subarray(0, left)
      rest = rest.subarray(bytes.byteLength)
      left -= bytes.byteLength
      if (bytes.byteLength > 0) yield { stream, bytes }
    }
  }
}

/** A line as our files have it; undefined when they have it already. */
function stored(line: string, stream: LogStream, last: string | undefined, now: number): string | undefined {
  const match = STAMP.exec(line)
  // A piece of a line that was cut has no time of its own.
  if (match === null) return formatLine(stream, now, line)
  const at = milliseconds(match[1] as string, match[2] as string)
  if (last !== undefined && !later(at, last)) return undefined
  return formatLine(stream, at, line.slice(match[0].length))
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

function destroy(stream: NodeJS.ReadableStream): void {
  if (stream instanceof Readable) stream.destroy()
}
