import type { RunFacts } from './types.ts'

/** Which nodes are there. All are from the start, but those that come later. */
export interface Presence {
  capture(event: { readonly event: string; readonly node: number }): void
  has(node: number): boolean
  count(): number
}

/** What an observer must match for this. */
export const PRESENCE_EVENTS = ['joined', 'left', 'crashed'] as const

export function createPresence({ nodes }: RunFacts): Presence {
  const gone = new Uint8Array(nodes)
  let away = 0
  return {
    capture({ event, node }) {
      if (event !== 'joined' && event !== 'left' && event !== 'crashed') return
      const now = event === 'joined' ? 0 : 1
      away += now - (gone[node] ?? 0)
      gone[node] = now
    },
    has: (node) => gone[node] === 0,
    count: () => nodes - away,
  }
}
