import type { Grant } from '../../base/verdict.ts'
import type { ReceivedService } from '../contract.ts'
import { executorFor } from './executor.ts'
import { decideNetwork, grantBy } from './network-grant.ts'
import { choosePool } from './pool.ts'
import type { RuleContext } from './rule.ts'

/**
 * What a service gets that passed every rule: what it asked for, no longer than LIMITS.SERVICE.TIMEOUT, with as much of
 * the network as NETCAP and the executor grant (less than it asked for only where the rule "network" merely warns).
 */
export function grantFor(service: ReceivedService, node: RuleContext): Grant | undefined {
  const executor = executorFor(service, node)
  const answer = decideNetwork(service.network, node.config.NETCAP)
  if (executor === undefined) return undefined
  const pool = choosePool(service, node)
  const { memory, cpu, disk, pids } = service.resources
  const { TIMEOUT } = node.config.LIMITS.SERVICE
  const times = [service.run.timeout, TIMEOUT].filter((time) => time !== undefined)
  return {
    executor: executor.name,
    ...(executor === pool.executor && { pool: pool.name }),
    memoryBytes: memory,
    cpuMillicores: cpu,
    diskBytes: disk,
    pids,
    ...(times.length === 0 ? {} : { timeoutSeconds: Math.min(...times) }),
    network: grantBy(executor, answer) ?? { mode: 'none' },
  }
}
