import { generateKeyPairSync } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSubgroupPoint } from '../../../protocols/subgroup.ts'
import { SMALL_ORDER } from '../../../scripts/vectors/weird-keys.ts'

const { Point } = ed25519
const { Fp } = Point

/** What the definition says: L times the point is the identity. */
function byDefinition(bytes: Uint8Array): boolean {
  try {
    const point = Point.fromBytes(bytes)
    return !point.is0() && point.isTorsionFree()
  } catch {
    return false
  }
}

/** The eight points whose order divides 8. */
function torsion(): InstanceType<typeof Point>[] {
  const found = new Map([[Point.ZERO.toHex(), Point.ZERO]])
  // L times a point of the curve is in it; y = 3, 4, ... are points of the curve half of the time
  for (let y = 2n; found.size < 8; y++) {
    try {
      const point = Point.fromBytes(Fp.toBytes(y))
      const rest = point.subtract(point.multiply(8n).multiply(invert8))
      found.set(rest.toHex(), rest)
    } catch {}
  }
  return [...found.values()]
}
const invert8 = Point.Fn.inv(8n)

it('of P + T, T of order 1, 2, 4 or 8, only P itself is in the subgroup', () => {
  const points = torsion()
  for (let round = 0; round < 8; round++) {
    const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(12)
    const point = Point.fromBytes(raw)
    for (const rest of points) {
      for (const sum of [point.add(rest), point.add(rest).negate()]) {
        expect(isSubgroupPoint(sum.toBytes()), sum.toHex()).toBe(rest.is0())
      }
    }
  }
})

it('points of small order are not in it, in whatever spelling', () => {
  for (const point of torsion()) expect(isSubgroupPoint(point.toBytes()), point.toHex()).toBe(false)
  for (const [name, hex] of SMALL_ORDER) expect(isSubgroupPoint(Buffer.from(hex, 'hex')), name).toBe(false)
})

it('any 32 bytes: as by definition, also y at p and above, off the curve, and x = 0 with a sign', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(bytes, (key) => isSubgroupPoint(key) === byDefinition(key)),
    { numRuns: 200 },
  )
  for (let low = 0; low < 256; low++) {
    for (const high of [0x7f, 0xff]) {
      const near = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? low : at === 31 ? high : 0xff))
      expect(isSubgroupPoint(near), `${low}, ${high}`).toBe(byDefinition(near))
    }
  }
})

it.each([0, 31, 33, 64])('%i bytes are no point', (length) => {
  expect(isSubgroupPoint(new Uint8Array(length).fill(3))).toBe(false)
})
