/** CBOR by hand, canonical or not: cases that must be refused cannot come from an encoder that is right. */

export function head(major: number, value: number | bigint, length?: 0 | 1 | 2 | 4 | 8): Uint8Array {
  const number = BigInt(value)
  const size = length ?? (number < 24n ? 0 : number < 256n ? 1 : number < 65_536n ? 2 : number < 2n ** 32n ? 4 : 8)
  if (size === 0) return Uint8Array.of((major << 5) | Number(number))
  const digits = number.toString(16).padStart(size * 2, '0')
  return Uint8Array.of((major << 5) | { 1: 24, 2: 25, 4: 26, 8: 27 }[size], ...Buffer.from(digits, 'hex'))
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

export function uint(value: number | bigint): Uint8Array {
  return head(0, value)
}

export function bytes(value: Uint8Array): Uint8Array {
  return join(head(2, value.byteLength), value)
}

export function text(value: string): Uint8Array {
  const utf8 = new TextEncoder().encode(value)
  return join(head(3, utf8.byteLength), utf8)
}

export function array(...items: Uint8Array[]): Uint8Array {
  return join(head(4, items.length), ...items)
}

/** Entries in the order given. */
export function map(...entries: [string, Uint8Array][]): Uint8Array {
  return join(head(5, entries.length), ...entries.flatMap(([key, value]) => [text(key), value]))
}

export function link(cid: Uint8Array): Uint8Array {
  return join(head(6, 42), bytes(join(Uint8Array.of(0), cid)))
}

export function nested(levels: number): Uint8Array {
  return join(new Uint8Array(levels - 1).fill(0x81), Uint8Array.of(0x80))
}
