import type { Clock } from '../base/clock.ts'
import { sanitizeText } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import { createTokenBucket } from '../base/token-bucket.ts'
import type { Reason } from '../base/verdict.ts'
import type { RuleCounts } from './views.ts'

/** A custom runner may invent names without end; those beyond this are counted as one. */
const MAX_RULES = 256
const OTHERS = 'others'

/** Lines about rules in mode "warn": these at once, then one in three seconds. The counts lose nothing. */
const WARN_LINES = { burst: 20, perSecond: 1 / 3 }

type Counts = { -readonly [Outcome in keyof RuleCounts]: number }

/** What each rule said since the start, and a line in the log for what a rule in mode "warn" would have stopped. */
export interface RuleCounters {
  count(service: { id: string; name: string }, reasons: readonly Reason[]): void
  counts(): Record<string, RuleCounts>
}

export function createRuleCounters({ clock, log }: { clock: Clock; log: Log }): RuleCounters {
  const rules = new Map<string, Counts>()
  const lines = createTokenBucket(WARN_LINES, () => clock.monotonic())

  function of(rule: string): Counts {
    const key = rules.has(rule) || rules.size < MAX_RULES ? rule : OTHERS
    const counts = rules.get(key) ?? { pass: 0, fail: 0, defer: 0, warned: 0 }
    rules.set(key, counts)
    return counts
  }

  return {
    count({ id, name }, reasons) {
      for (const { rule, outcome, warned, message } of reasons) {
        const counts = of(rule)
        if (warned === undefined) {
          counts[outcome]++
          continue
        }
        counts.warned++
        if (lines.take()) {
          log.info('a rule in mode "warn" would have refused a service', {
            rule,
            service: id,
            name: sanitizeText(name, 64),
            would: warned,
            why: sanitizeText(message),
          })
        }
      }
    },
    counts: () => Object.fromEntries([...rules].map(([rule, counts]) => [rule, { ...counts }])),
  }
}
