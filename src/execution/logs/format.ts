import { StringDecoder } from 'node:string_decoder'
import type { LogLine, LogStream } from '../../base/run-record.ts'

const LETTERS = { out: 'o', err: 'e', node: 'n' } as const
const STREAMS = new Map<string, LogStream>([
  ['o', 'out'],
  ['e', 'err'],
  ['n', 'node'],
])

/** One line of a log file: time in ms (with a fraction where the source is finer), stream, text. */
export function formatLine(stream: LogStream, at: number | string, text: string): string {
  return `${at} ${LETTERS[stream]} ${clean(text)}\n`
}

export function parseLine(line: string): LogLine | undefined {
  const match = /^(\d+(?:\.\d+)?) ([oen]) (.*)$/s.exec(line)
  const stream = STREAMS.get(match?.[2] ?? '')
  if (match === null || stream === undefined) return undefined
  return { stream, at: Math.floor(Number(match[1])), line: match[3] as string }
}

/** Cuts a byte stream into lines of at most `max` characters, whatever the bytes are; holds no more than one line. */
export function createSplitter(max: number) {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return {
    push(bytes: Uint8Array): string[] {
      const lines = (rest + decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))).split('\n')
      const open = cutLine(lines.pop() ?? '', max)
      rest = open.pop() ?? ''
      return [...lines.flatMap((line) => cutLine(line, max)), ...open]
    },
    end(): string[] {
      const last = rest + decoder.end()
      rest = ''
      return last === '' ? [] : cutLine(last, max)
    },
  }
}

/** Ends a piece of a line that continues in the next. */
export const CONTINUED = '\u2026'

/** Never empty: an empty line is one, too. Each piece but the last carries the sign. */
export function cutLine(line: string, max: number): string[] {
  if (line.length <= max) return [line]
  const size = max - CONTINUED.length
  const pieces = []
  let at = 0
  for (; line.length - at > max; at += size) pieces.push(line.slice(at, at + size) + CONTINUED)
  return [...pieces, line.slice(at)]
}

/** A log is read in terminals: control characters (but the tab) and what turns text around become U+FFFD. */
function clean(text: string): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  return line.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
}
