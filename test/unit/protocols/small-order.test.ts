import { expect, it } from 'vitest'
import { beginsWithSmallOrderPoint } from '../../../protocols/small-order.ts'
import { SMALL_ORDER } from '../../../scripts/vectors/weird-keys.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

it.each(SMALL_ORDER)('points of small order: %s is one', (_name, point) => {
  expect(beginsWithSmallOrderPoint(bytes(point))).toBe(true)
  expect(beginsWithSmallOrderPoint(bytes(point + '11'.repeat(32)))).toBe(true)
})

it.each(SMALL_ORDER)('points of small order: a bit beside %s is none', (_name, point) => {
  const changed = bytes(point)
  changed[17] = (changed[17] as number) ^ 0x10
  expect(beginsWithSmallOrderPoint(changed)).toBe(false)
})
