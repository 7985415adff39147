import { UnavailableError } from '../../../base/errors.ts'
import { ENGINE_LINE_COST, MAX_RUN_LOG_LINE } from '../../constants.ts'
import { CONTINUED, cutLine, formatLine } from '../../logs/format.ts'

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
/** The engine cuts lines at 16 KiB and puts their time before them. */
const MAX_FRAME_BYTES = 1024 * 1024

export type OutputStream = 'out' | 'err'
export type Frame = { readonly stream: OutputStream; readonly bytes: Buffer }

/**
 * The engine's framing: one byte says which stream, bytes 4 to 7 how much follows. A frame is one line with its time, or
 * one piece of a line that the engine has cut, with no newline at its end.
 */
export async function* frameBatches(source: AsyncIterable<Buffer>): AsyncGenerator<Frame[]> {
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
export function engineLogBytes(bytes: Buffer): number {
  let cost = bytes.byteLength
  for (const byte of bytes) {
    if (byte === NEWLINE) cost += ENGINE_LINE_COST
    else if (byte < SPACE || ESCAPED.has(byte)) cost += ESCAPE_COST
  }
  return cost
}

/** A line of the engine's log: when it came, by the engine's clock, and what it says. */
export function parseLogEntry({ bytes }: Frame): { at: string; text: string } | undefined {
  const frame = bytes.toString('utf8')
  const match = STAMP.exec(frame)
  if (match === null) return undefined
  return { at: milliseconds(match[1] as string, match[2] ?? ''), text: frame.slice(match[0].length) }
}

export function totalBytes(batch: readonly Frame[]): number {
  return batch.reduce((bytes, frame) => bytes + frame.bytes.byteLength, 0)
}

/** An entry as our files have it. */
export function formatLogEntry(text: string, stream: OutputStream, at: string): string[] {
  // the engine cuts lines, too: at 16 KiB, with no newline at the end of a piece
  const cut = !text.endsWith('\n') && Buffer.byteLength(text) >= ENGINE_LINE_BYTES ? CONTINUED : ''
  const lines = cutLine(text.replace(/\n$/, '') + cut, MAX_RUN_LOG_LINE)
  return lines.map((line) => formatLine(stream, at, line))
}

/** Milliseconds with all nine digits of the engine's fraction: no number holds them. */
function milliseconds(whole: string, fraction: string): string {
  const nine = fraction.padEnd(9, '0')
  return `${Date.parse(`${whole}Z`) + Number(nine.slice(0, 3))}.${nine.slice(3)}`
}

/** Text of ms with a fraction -> text of seconds with nine digits. */
export function toSeconds(ms: string): string {
  const [whole = '0', fraction = ''] = ms.split('.')
  return `${Math.floor(Number(whole) / 1000)}.${String(Number(whole) % 1000).padStart(3, '0')}${fraction.padEnd(6, '0')}`
}

export function isLater(at: string, than: string): boolean {
  const [a = '0', aFraction = ''] = at.split('.')
  const [b = '0', bFraction = ''] = than.split('.')
  return Number(a) > Number(b) || (a === b && aFraction.padEnd(6, '0') > bFraction.padEnd(6, '0'))
}
