import type { Violations } from './types.ts'

/** Of one invariant and run. The first ones lead to the cause. */
const MAX_SENTENCES = 5

export function createViolations(): Violations {
  const first: string[] = []
  let count = 0
  return {
    add(sentence) {
      count++
      if (first.length < MAX_SENTENCES) first.push(sentence)
    },
    sentences: () => (count > first.length ? [...first, `and ${count - first.length} more like these`] : [...first]),
  }
}
