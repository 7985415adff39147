import type { Verdict } from '../base/verdict.ts'
import { DECIDING_RULES, type DecidingRule } from './events.ts'

/** The first rule that did not pass; none where all did. */
export function decidingRule({ reasons }: Verdict): DecidingRule {
  const rule = reasons.find(({ outcome }) => outcome !== 'pass')?.rule
  if (rule === undefined) return 'none'
  return DECIDING_RULES.find((name) => name === rule) ?? 'custom'
}
