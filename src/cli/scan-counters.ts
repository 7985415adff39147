import { formatCount, joinWords } from '../base/format.ts'
import type { ThundercloudNode } from '../node/types.ts'

/** Counts what a hub says while it runs; `text` is one sentence. */
export function countScans({ events }: Pick<ThundercloudNode, 'events'>): Disposable & { text(): string } {
  const counts = { safe: 0, unsafe: 0, failed: 0, passedOver: 0 }
  const subscriptions = [
    events.on('hub:examined', ({ verdict }) => void counts[verdict]++),
    events.on('hub:failed', () => void counts.failed++),
    events.on('hub:passed-over', () => void counts.passedOver++),
  ]
  return {
    text() {
      const { safe, unsafe, failed, passedOver } = counts
      const words = [
        `${formatCount(safe)} safe`,
        `${formatCount(unsafe)} unsafe`,
        ...(failed === 0 ? [] : [`${formatCount(failed)} failed attempts`]),
        ...(passedOver === 0 ? [] : [`${formatCount(passedOver)} skipped`]),
      ]
      return `Code that was examined: ${joinWords(words)}.`
    },
    [Symbol.dispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
    },
  }
}
