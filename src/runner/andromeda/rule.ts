import type { Reason, Verdict } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import type { NodeFacts, ReceivedService, ServiceFacts } from '../contract.ts'

/** What the rules see: the snapshot, without what only a process can have. */
export type RuleContext = NodeFacts & ServiceFacts

/** One question about a service. Pure: the same service and context give the same answer. */
export type Rule = {
  readonly name: string
  /** the configuration's keys that it reads */
  readonly keys: readonly (keyof RunnerConfig)[]
  /** place in the order: what costs less is asked first; from 100 on, what needs statements of others */
  readonly cost: number
  /** what becomes of a service that fails here: passed on (if REDIRECT says so), or not even that */
  readonly failing: 'redirect' | 'drop'
  /** At least one reason; passed when none of them fails or defers. */
  decide(service: ReceivedService, node: RuleContext): Reason[]
}

/** Andromeda as a function: a Runner that needs neither time nor a process. */
export type PureRunner = (service: ReceivedService, node: RuleContext) => Verdict
