import type { Start } from './node.ts'

/** How many files the code has. */
export const FILES = [10, 5000] as const

/** A start through the node, and the same without one right before it, ms. */
export type Pair = {
  readonly executor: 'docker' | 'host'
  readonly files: number
  readonly round: number
  readonly ours: Start
  readonly baseline: number
}

export type Message = Pair | { readonly notMeasured: string }
