import { z } from 'zod'
import { keys, utf8, whole } from '../../config/zod-fields.ts'

export const MAX_NODES = 1_000_000
/** Virtual: thirty days. */
export const MAX_SECONDS = 2_592_000

export function number(min: number, max: number) {
  const allowed = `a number from ${min} to ${max}`
  return z.number(allowed).min(min, allowed).max(max, allowed)
}

export const share = () => number(0, 1)
export const seconds = () => number(0, MAX_SECONDS)
export const name = () => utf8(64, 1)
export const path = () => utf8(1024, 1)
export const nodeIndex = () => whole(0, MAX_NODES - 1)

/** From one number to another, each as likely. */
export function range(min: number, max: number) {
  return keys({ min: number(min, max).describe('the least'), max: number(min, max).describe('the most') }).refine(
    (value) => value.min <= value.max,
    'an object whose min is not above its max',
  )
}
