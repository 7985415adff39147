/**
 * The eight points of small order of edwards25519, by every spelling of their y: 0, 1, the two of order 8, p - 1, p, p + 1.
 * The sign bit is left out, because both signs denote such a point.
 */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((text) => Uint8Array.from(Buffer.from(text, 'hex')))

/**
 * Do these bytes begin with the 32 bytes of a point of small order, in whatever spelling? Runtimes differ about
 * signatures whose R is one: some compare encodings, some refuse, and one signature must mean the same to every node.
 */
export function beginsWithSmallOrderPoint(bytes: Uint8Array): boolean {
  return SMALL_ORDER_Y.some((y) => isY(bytes, y))
}

function isY(bytes: Uint8Array, y: Uint8Array): boolean {
  for (let index = 0; index < 31; index++) if (bytes[index] !== y[index]) return false
  return ((bytes[31] ?? 0) & 0x7f) === y[31]
}
