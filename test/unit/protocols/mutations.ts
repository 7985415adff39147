import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import * as raw from '../../../scripts/vectors/raw.ts'

/** What a hostile or broken peer may make of the bytes of a message. Not always a change. */
export type Mutation = { name: string; apply(bytes: Uint8Array): Uint8Array }

const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  change('flip a bit', fc.nat(7), (bytes, index, bit) => bytes.map((byte, at) => byte ^ (at === index ? 1 << bit : 0))),
  change('set a byte', fc.nat(255), (bytes, index, byte) => bytes.map((old, at) => (at === index ? byte : old))),
  change('cut', fc.constant(0), (bytes, index) => bytes.slice(0, index)),
  change('remove a byte', fc.constant(1), (bytes, index, n) => raw.join(bytes.slice(0, index), bytes.slice(index + n))),
  change('insert', fc.uint8Array({ minLength: 1, maxLength: 9 }), (bytes, index, more) =>
    raw.join(bytes.slice(0, index), more, bytes.slice(index)),
  ),
  change('repeat a part', where, (bytes, index, from) =>
    raw.join(bytes.slice(0, index), bytes.slice(Math.floor(from * index), index), bytes.slice(index)),
  ),
  fc.constantFrom(
    changeMaps('turn maps round', (entries) => entries.toReversed()),
    changeMaps('sort keys by bytes', (entries) => entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    changeMaps('repeat the last key', (entries) => [...entries, ...entries.slice(-1)]),
    changeMaps('add a key', (entries) => [...entries, ['zzzzzzzzzzzzzzz', raw.uint(1)]]),
    changeMaps('add __proto__', (entries) => [...entries, ['__proto__', raw.map()]]),
    changeMaps('leave out the last key', (entries) => entries.slice(0, -1)),
  ),
)

/** At any place of the bytes, with something that is drawn. */
function change<T>(
  name: string,
  drawn: fc.Arbitrary<T>,
  make: (bytes: Uint8Array, index: number, value: T) => Uint8Array,
): fc.Arbitrary<Mutation> {
  return fc.tuple(where, drawn).map(([at, value]) => {
    return { name, apply: (bytes) => make(bytes.slice(), Math.floor(at * bytes.byteLength), value) }
  })
}

type Entries = [string, Uint8Array][]
type Change = (entries: Entries) => Entries

/** The same value with the entries of its maps changed, also inside byte strings that hold maps. */
function changeMaps(name: string, entries: Change): Mutation {
  return { name, apply: (bytes) => rewritten(bytes, entries) }
}

function rewritten(bytes: Uint8Array, change: Change): Uint8Array {
  try {
    return write(dagCbor.decode(bytes), change)
  } catch {
    return bytes
  }
}

function write(value: unknown, change: Change): Uint8Array {
  if (value instanceof Uint8Array) return raw.bytes(value.byteLength > 100 ? rewritten(value, change) : value)
  if (Array.isArray(value)) return raw.array(...value.map((item) => write(item, change)))
  if (typeof value !== 'object' || value === null || 'multihash' in value) return dagCbor.encode(value)
  const entries = Object.entries(value).map(([key, item]): [string, Uint8Array] => [key, write(item, change)])
  return raw.map(...change(entries))
}
