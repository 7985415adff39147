import { printable } from '../../base/text.ts'
import type { Need, Reason } from '../../base/verdict.ts'

/** A message or a needed value travels in receipts, where 512 bytes are the limit: at three bytes a character, this fits. */
const MAX_WORDS = 160

export function pass(rule: string, message: string): Reason {
  return { rule, outcome: 'pass', message }
}

/** `needs` is what would have changed it. Without one, the message must say why nothing helps. */
export function fail(rule: string, message: string, needs?: Need): Reason {
  return needs === undefined ? { rule, outcome: 'fail', message } : { rule, outcome: 'fail', message, needs }
}

/** Not now: the same service may pass later. */
export function defer(rule: string, message: string, needs: Need): Reason {
  return { rule, outcome: 'defer', message, needs }
}

/** Words of the service or of a long list, sorted and bounded: a verdict does not depend on the order of keys. */
export function some(words: Iterable<string>, most = 8): string {
  const sorted = [...words].map((word) => printable(word, 64)).sort()
  const shown: string[] = []
  let length = 0
  for (const word of sorted.slice(0, most)) {
    length += word.length + 2
    if (length > MAX_WORDS) break
    shown.push(word)
  }
  const rest = sorted.length - shown.length
  if (rest === 0) return shown.join(', ')
  return shown.length === 0 ? `${rest} entries` : `${shown.join(', ')} and ${rest} more`
}
