import type { Reason, WakeCondition } from '../../../../base/verdict.ts'
import { bytesText, coresText, countText, shortId, visible } from './text.ts'

/** What would have changed a rule's outcome, as a sentence; undefined where the rule does not say. */
export function needText({ needs }: Reason): string | undefined {
  if (needs === undefined) return undefined
  const { field, must, value } = needs
  const shown = valueText(field, value)
  const name = visible(field, 80)
  switch (must) {
    case 'at-most':
      return `${name} must be at most ${shown}`
    case 'at-least':
      return `${name} must be at least ${shown}`
    case 'one-of':
      return `${name} must be one of ${shown}`
    case 'match':
      return `${name} must match ${shown}`
    case 'be':
      return `${name} must be ${shown}`
    default:
      return `${name}: ${shown}`
  }
}

function valueText(field: string, value: string): string {
  if (!/^\d{1,15}$/.test(value)) return visible(value, 300)
  const number = Number(value)
  if (/memory|disk|bytes/i.test(field)) return bytesText(number)
  if (/cpu/i.test(field)) return coresText(number)
  return countText(number)
}

/** What wakes a parked service. */
export function wakeText(condition: WakeCondition): string {
  switch (condition.on) {
    case 'capacity':
      return 'capacity becomes free'
    case 'executor':
      return `the executor "${condition.executor}" becomes available`
    case 'policy':
      return 'the policy changes'
    case 'quorum':
      return `trusted hubs call its code ${shortId(condition.code)} safe`
    case 'freeze':
      return `a trusted hub says what its author has frozen on ${visible(condition.chain, 60)}`
    case 'delegation':
      return `someone in the trust tree vouches for its author ${shortId(condition.author)}`
    case 'replica':
      return 'a node that runs it gives its place up'
  }
}
