import { totalLimits } from '../admission/facts/capacity.ts'
import type { ClientRegistries, RunnerConfig } from '../config/index.ts'
import type { AvailableExecutor, NodeFacts } from '../runner/index.ts'

/** A node on which nothing runs: all of LIMITS.TOTAL is free. What a policy says then depends on nothing but itself. */
export function emptyNode(
  config: RunnerConfig,
  init: { own: string; executors: readonly AvailableExecutor[]; clientRegistries?: ClientRegistries | undefined },
): NodeFacts {
  const { own, executors, clientRegistries } = init
  return {
    config,
    own,
    capacity: { ...totalLimits(config), executors },
    running: [],
    clientRegistries,
  }
}
