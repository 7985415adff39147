import type { Grant } from '../../base/verdict.ts'
import type { ReceivedService } from '../contract.ts'
import { placeFor } from './executor.ts'
import type { RuleContext } from './rule.ts'

/** What a service gets that passed every rule: what it asked for, no longer than LIMITS.SERVICE.TIMEOUT, no network. */
export function grantFor(service: ReceivedService, node: RuleContext): Grant | undefined {
  const { executor } = placeFor(service, node)
  if (executor === undefined) return undefined
  const { memory, cpu, disk, pids } = service.resources
  const { TIMEOUT } = node.config.LIMITS.SERVICE
  const times = [service.run.timeout, TIMEOUT].filter((time) => time !== undefined)
  return {
    executor: executor.name,
    memoryBytes: memory,
    cpuMillicores: cpu,
    diskBytes: disk,
    pids,
    ...(times.length === 0 ? {} : { timeoutSeconds: Math.min(...times) }),
    network: { mode: 'none' },
  }
}
