export const START_STEPS = ['fetching', 'starting', 'running'] as const

/** Until the verdict was there, until each step was journalled, and until its first line could be read; ms. */
export type Start = { readonly verdict: number; readonly line: number } & Readonly<
  Partial<Record<(typeof START_STEPS)[number], number>>
>

/** How many files the code has. */
export const FILES = [10, 5000] as const

/** What a node keeps warm. */
export const WARM = ['nothing', 'gateways', 'programs'] as const

/** A start through the node, and the same without one right before it, ms. */
export type Pair = {
  readonly executor: 'docker' | 'host'
  /** what the node keeps warm: nothing, gateways, or sandboxes with a Node.js too */
  readonly warm: (typeof WARM)[number]
  readonly files: number
  readonly round: number
  readonly ours: Start
  readonly baseline: number
}

/** `warmMib`: the memory of one warm sandbox, with four of them. */
export type Message = Pair | { readonly notMeasured: string } | { readonly warmMib: number }
