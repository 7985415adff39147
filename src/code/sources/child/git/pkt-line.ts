import { UnusableSourceError } from '../errors.ts'

/** Lines of git's wire: four hex digits of length, themselves included; 0000 ends a message, 0001 a section. */
export const FLUSH = '0000'
export const DELIMITER = '0001'

export type PktLine = 'flush' | 'delimiter' | 'end' | Buffer

const HEADER_BYTES = 4
const MAX_LINE_BYTES = 65_520

export function pktLine(text: string): string {
  return `${(Buffer.byteLength(text) + HEADER_BYTES).toString(16).padStart(4, '0')}${text}`
}

/** The lines of an answer, whatever pieces it comes in. */
export async function* readPktLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<PktLine> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    rest = rest.byteLength === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    for (;;) {
      const length = lengthOf(rest)
      if (length === undefined || rest.byteLength < Math.max(length, HEADER_BYTES)) break
      if (length <= 2) yield length === 0 ? 'flush' : length === 1 ? 'delimiter' : 'end'
      else yield rest.subarray(HEADER_BYTES, length)
      rest = rest.subarray(Math.max(length, HEADER_BYTES))
    }
  }
  if (rest.byteLength > 0) throw new UnusableSourceError('the answer of the git server is cut')
}

function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined
  const text = bytes.toString('latin1', 0, HEADER_BYTES)
  const length = /^[0-9a-f]{4}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
  if (Number.isNaN(length) || length === 3 || length > MAX_LINE_BYTES) {
    throw new UnusableSourceError('the server does not answer as a git server')
  }
  return length
}
