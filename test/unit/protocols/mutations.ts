import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import * as raw from '../../../scripts/vectors/raw.ts'

/** What a hostile or broken peer may make of the bytes of a message. Not always a change. */
export type Mutation = { name: string; apply(bytes: Uint8Array): Uint8Array }

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(at, fc.nat(7)).map(([where, bit]) =>
    mutate('flip a bit', where, (bytes, index) => {
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
      return bytes
    }),
  ),
  fc.tuple(at, fc.nat(255)).map(([where, byte]) =>
    mutate('set a byte', where, (bytes, index) => {
      bytes[index] = byte
      return bytes
    }),
  ),
  at.map((where) => mutate('cut', where, (bytes, index) => bytes.slice(0, index))),
  at.map((where) =>
    mutate('remove a byte', where, (bytes, index) => raw.join(bytes.slice(0, index), bytes.slice(index + 1))),
  ),
  fc
    .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 9 }))
    .map(([where, more]) =>
      mutate('insert', where, (bytes, index) => raw.join(bytes.slice(0, index), more, bytes.slice(index))),
    ),
  fc.tuple(at, at).map(([where, from]) =>
    mutate('repeat a part', where, (bytes, index) => {
      return raw.join(bytes.slice(0, index), bytes.slice(Math.floor(from * index), index), bytes.slice(index))
    }),
  ),
  fc.constantFrom<Mutation>(
    { name: 'turn maps round', apply: (bytes) => rewritten(bytes, (entries) => entries.toReversed()) },
    {
      name: 'sort keys by bytes',
      apply: (bytes) => rewritten(bytes, (entries) => entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    },
    {
      name: 'repeat the last key',
      apply: (bytes) => rewritten(bytes, (entries) => [...entries, ...entries.slice(-1)]),
    },
    {
      name: 'add a key',
      apply: (bytes) => rewritten(bytes, (entries) => [...entries, ['zzzzzzzzzzzzzzz', raw.uint(1)]]),
    },
    { name: 'add __proto__', apply: (bytes) => rewritten(bytes, (entries) => [...entries, ['__proto__', raw.map()]]) },
    { name: 'leave out the last key', apply: (bytes) => rewritten(bytes, (entries) => entries.slice(0, -1)) },
  ),
)

function mutate(name: string, where: number, change: (bytes: Uint8Array, index: number) => Uint8Array): Mutation {
  return { name, apply: (bytes) => change(bytes.slice(), Math.floor(where * bytes.byteLength)) }
}

type Entries = [string, Uint8Array][]

/** The same value with the entries of its maps changed, also inside byte strings that hold maps. */
function rewritten(bytes: Uint8Array, change: (entries: Entries) => Entries): Uint8Array {
  try {
    return write(dagCbor.decode(bytes), change)
  } catch {
    return bytes
  }
}

function write(value: unknown, change: (entries: Entries) => Entries): Uint8Array {
  if (value instanceof Uint8Array) return raw.bytes(value.byteLength > 100 ? rewritten(value, change) : value)
  if (Array.isArray(value)) return raw.array(...value.map((item) => write(item, change)))
  if (typeof value !== 'object' || value === null || 'multihash' in value) return dagCbor.encode(value)
  const entries = Object.entries(value).map(([key, item]): [string, Uint8Array] => [key, write(item, change)])
  return raw.map(...change(entries))
}
