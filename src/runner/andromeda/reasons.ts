import { sanitizeText } from '../../base/format.ts'
import type { Need, Reason } from '../../base/verdict.ts'

/** A message or a needed value travels in receipts, where 512 bytes are the limit: at three bytes a character, this fits. */
const MAX_WORDS = 160
/** A value of a service, an address or a host: what is longer is cut. */
const MAX_WORD = 80
/** Reasons of one rule that name one thing each; a receipt holds 32 in all. */
export const MAX_EACH = 4

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

/** One value of a service or of the configuration, bounded and safe to show. */
export function safeText(word: string): string {
  return sanitizeText(word, MAX_WORD)
}

/** Values of the service or of a long list, sorted and bounded: a verdict does not depend on the order of keys. */
export function joinSorted(words: Iterable<string>, most = 8): string {
  const sorted = [...words].map(safeText).sort()
  const fits = fitting(sorted, most)
  const rest = sorted.length - fits.length
  if (rest === 0) return fits.join(', ')
  return fits.length === 0 ? `${rest} entries` : `${fits.join(', ')} and ${rest} more`
}

/** As many complete values as fit into a need: each of them would help. */
export function joinWhole(words: Iterable<string>, most = 8): string {
  const all = [...words]
  const whole = all.filter((word) => word.length <= MAX_WORD && safeText(word) === word).sort()
  return whole.length === 0 ? joinSorted(all, most) : fitting(whole, most).join(', ')
}

function fitting(sorted: readonly string[], most: number): string[] {
  const fits: string[] = []
  let length = 0
  for (const word of sorted.slice(0, most)) {
    length += word.length + 2
    if (length > MAX_WORDS) break
    fits.push(word)
  }
  return fits
}
