import { createHash } from 'node:crypto'

/** Chance that costs nanoseconds. The same numbers for the same seed on every machine. */
export interface FastRandom {
  /** 32 bits */
  next(): number
  /** in [0, 1) */
  fraction(): number
  /** a whole number in [0, below) */
  int(below: number): number
}

/** Numbers that belong together follow from a seed of their own, so that one more draw here changes nothing there. */
export function fastRandom(seed: string): FastRandom {
  const [a = 0, b = 0, c = 0, d = 0] = words(seed)
  let [s0, s1, s2, s3] = [a | 1, b, c, d]
  // xoshiro128**
  const next = () => {
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 11) | (s3 >>> 21)
    return result
  }
  return {
    next,
    fraction: () => next() / 0x1_0000_0000,
    int: (below) => Math.floor((next() / 0x1_0000_0000) * below),
  }
}

/** 32 bits that follow from a seed and from what they are for: no order of draws decides them. */
export function hash32(seed: number, a: number, b: number): number {
  let value = Math.imul(seed ^ Math.imul(a, 0x9e37_79b1), 0x85eb_ca6b) ^ Math.imul(b, 0xc2b2_ae35)
  value = Math.imul(value ^ (value >>> 16), 0x7feb_352d)
  value = Math.imul(value ^ (value >>> 15), 0x846c_a68b)
  return (value ^ (value >>> 16)) >>> 0
}

/** In [0, 1). */
export function hashFraction(seed: number, a: number, b: number): number {
  return hash32(seed, a, b) / 0x1_0000_0000
}

/** A seed for `hash32`. */
export function seedWord(seed: string): number {
  return words(seed)[0] ?? 0
}

function words(seed: string): number[] {
  const digest = createHash('sha256').update(seed).digest()
  return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at))
}

/** The numbers below `count`, in an order of chance. */
export function shuffled(count: number, random: FastRandom): Int32Array {
  const order = new Int32Array(count)
  for (let index = 0; index < count; index++) order[index] = index
  for (let last = count - 1; last > 0; last--) {
    const other = random.int(last + 1)
    const value = order[last] as number
    order[last] = order[other] as number
    order[other] = value
  }
  return order
}
