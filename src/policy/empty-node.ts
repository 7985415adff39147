import { totalLimits } from '../admission/facts/capacity.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { AvailableExecutor, NodeFacts } from '../runner/index.ts'

/** A node on which nothing runs: all of LIMITS.TOTAL is free. What a policy says then depends on nothing but itself. */
export function emptyNode(
  config: RunnerConfig,
  init: { own: string; executors: readonly AvailableExecutor[] },
): NodeFacts {
  const { own, executors } = init
  return {
    config,
    own,
    capacity: { ...totalLimits(config), executors },
    running: [],
  }
}
