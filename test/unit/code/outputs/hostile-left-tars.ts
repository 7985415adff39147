import fc from 'fast-check'
import { rawHeader } from '../raw-tar.ts'

const BLOCK = 512

function entry(path: string, type: string, content = '', more: object = {}): Buffer {
  const bytes = Buffer.from(content)
  const size = `${bytes.byteLength.toString(8).padStart(11, '0')}\0`
  const padding = Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK)
  return Buffer.concat([rawHeader({ path, type, size, ...more }), bytes, padding])
}

const LONG = `out/${'long/'.repeat(40)}b`
const RECORD = `path=${LONG}\n`
const PAX = `${RECORD.length + 4} ${RECORD}`

/** Of everything that such a tar may hold, one. */
export const TAR: Buffer = Buffer.concat([
  entry('out/', '5'),
  entry('out/a.txt', '0', 'a'.repeat(1500)),
  entry('pax', 'x', PAX),
  entry('cut', '0', 'b'),
  entry('out/link', '2', '', { link: '../../../etc/passwd' }),
  entry('out/twin', '1', '', { link: 'out/a.txt' }),
  entry('out/pipe', '6'),
  Buffer.alloc(2 * BLOCK),
])

/** Where something else begins than content: what is changed there changes most. */
const HEADERS = Array.from({ length: TAR.byteLength / BLOCK }, (_, at) => at * BLOCK).filter(
  (at) => TAR.toString('latin1', at + 257, at + 262) === 'ustar',
)

type Change = (tar: Buffer) => Buffer

function withSum(header: Buffer): void {
  header.write(' '.repeat(8), 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

/** A byte, wherever it is. */
const flip = fc.tuple(fc.nat(TAR.byteLength - 1), fc.nat(255)).map(([at, byte]): Change => {
  return (tar) => {
    if (at < tar.byteLength) tar[at] = byte
    return tar
  }
})

/** A field of a header, whose sum is right. */
const field = fc
  .tuple(
    fc.constantFrom(...HEADERS),
    fc.constantFrom([0, 100], [124, 12], [156, 1], [157, 100], [257, 8], [345, 155]),
    fc.oneof(
      fc.constantFrom(
        ...[
          '../../../tmp/evil',
          '/etc/passwd',
          '77777777777\0',
          '-0000000001\0',
          'x',
          'L',
          'K',
          'g',
          'S',
          '\x80\0\0\0',
        ],
        ...['\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', '', '\0', '1', '2', '5', 'out/a.txt'],
      ),
      fc.string({ unit: 'binary', maxLength: 155 }),
    ),
  )
  .map(([at, [offset = 0, length = 0], text]): Change => {
    return (tar) => {
      const header = tar.subarray(at, at + BLOCK)
      if (header.byteLength < BLOCK) return tar
      header.fill(0, offset, offset + length)
      header.write(text.slice(0, length), offset, length, 'latin1')
      withSum(header)
      return tar
    }
  })

const cut = fc.nat(TAR.byteLength).map(
  (at): Change =>
    (tar) =>
      tar.subarray(0, at),
)

const twice = fc
  .tuple(fc.nat(TAR.byteLength / BLOCK), fc.nat(TAR.byteLength / BLOCK), fc.nat(40))
  .map(([from, to, times]): Change => {
    return (tar) => {
      const piece = tar.subarray(from * BLOCK, Math.max(from, to) * BLOCK)
      return Buffer.concat([tar.subarray(0, from * BLOCK), ...Array.from({ length: times }, () => piece), tar])
    }
  })

/** The tar with up to six changes. */
export const mutated: fc.Arbitrary<Buffer> = fc
  .array(fc.oneof(flip, field, field, cut, twice), { minLength: 1, maxLength: 6 })
  .map((changes) => changes.reduce<Buffer>((tar, change) => change(Buffer.from(tar)), TAR))
