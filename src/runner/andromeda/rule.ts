import type { Reason, Verdict, WakeCondition } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import type { RuleName } from '../../config/rule-names.ts'
import type { NodeFacts, ReceivedService, ServiceFacts } from '../contract.ts'

/** What the rules see: the snapshot, without what only a process can have. */
export type RuleContext = NodeFacts & ServiceFacts

/** One question about a service. Pure: the same service and context give the same answer. */
export type Rule = {
  readonly name: RuleName
  /** the configuration's keys that it reads */
  readonly keys: readonly (keyof RunnerConfig)[]
  /** what becomes of a service that fails here: redirected (if REDIRECT says so), or not even that */
  readonly onFail: 'redirect' | 'drop'
  /** for the reference: what it asks, and what becomes of a service that does not pass */
  readonly doc: { readonly asks: string; readonly otherwise: string }
  /** At least one reason; passed when none of them fails or defers. */
  decide(service: ReceivedService, node: RuleContext): Reason[]
  /** What would wake a service that this rule defers. */
  wakeConditions?(service: ReceivedService, node: RuleContext): WakeCondition[]
}

/** Andromeda as a function: a Runner that needs neither time nor a process. */
export type PureRunner = (service: ReceivedService, node: RuleContext) => Verdict
