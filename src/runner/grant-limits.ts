import { formatBytes } from '../base/format.ts'
import type { Grant, NetworkGrant, Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { AvailableExecutor, ReceivedService, Resources, RunnerSnapshot, RunningService } from './contract.ts'

const RESOURCES = [
  { grant: 'memoryBytes', field: 'memory', limit: 'MEMORY', words: formatBytes },
  { grant: 'cpuMillicores', field: 'cpu', limit: 'CPU', words: String },
  { grant: 'diskBytes', field: 'disk', limit: 'DISK', words: formatBytes },
  { grant: 'pids', field: 'pids', limit: 'PIDS', words: String },
] as const satisfies readonly {
  grant: keyof Grant
  field: keyof Resources
  limit: string
  words(value: number): string
}[]

/**
 * Where a verdict gives what is not the runner's to give: more than LIMITS and NETCAP allow or than was free, an executor
 * that is not there, the end of a service that does not run. One phrase; undefined = nowhere. LIMITS are the operator's
 * word whatever the runner: a slip in a custom runner must not hand out the whole machine.
 */
export function overreachOf(verdict: Verdict, service: ReceivedService, node: RunnerSnapshot): string | undefined {
  const { run: grant, evict = [] } = verdict
  if (grant === false) return evict.length === 0 ? undefined : 'evict: only who runs the service makes room for it'
  if (evict.length > 0 && !node.config.LIMITS.EVICT) return 'evict: LIMITS.EVICT is false, so no service ends another'
  const evicted: RunningService[] = []
  for (const id of new Set(evict)) {
    const running = node.running.find((other) => other.id === id)
    if (running === undefined) return `evict: no service ${id} runs here`
    if (running.own) return `evict: ${id} is the operator's own`
    evicted.push(running)
  }
  const executor = node.capacity.executors.find(({ name }) => name === grant.executor)
  if (executor === undefined) return `run.executor: ${grant.executor} is not there now`
  if (executor.ownOnly === true && service.author !== node.own)
    return `run.executor: ${grant.executor} takes the node's own services only`
  return beyondLimits(grant, node, evicted) ?? beyondNetwork(grant.network, executor, node.config)
}

function beyondLimits(grant: Grant, node: RunnerSnapshot, evicted: readonly RunningService[]): string | undefined {
  const { capacity, config } = node
  for (const { grant: key, field, limit, words } of RESOURCES) {
    const [given, most] = [grant[key], config.LIMITS.SERVICE[limit]]
    if (given > most) return `run.${key}: is ${words(given)}, and LIMITS.SERVICE.${limit} allows ${words(most)}`
    const free = evicted.reduce((sum, running) => sum + running[field], capacity[key])
    if (given > free) return `run.${key}: is ${words(given)}, and ${words(Math.max(0, free))} is free`
  }
  if (capacity.runs + evicted.length < 1) return 'run: as many services run as LIMITS.TOTAL.RUNS allows'
  const { TIMEOUT } = config.LIMITS.SERVICE
  if (TIMEOUT !== undefined && (grant.timeoutSeconds === undefined || grant.timeoutSeconds > TIMEOUT)) {
    return `run.timeoutSeconds: must be at most ${TIMEOUT} (LIMITS.SERVICE.TIMEOUT)`
  }
  return undefined
}

function beyondNetwork(grant: NetworkGrant, executor: AvailableExecutor, { NETCAP }: RunnerConfig): string | undefined {
  if (grant.mode === 'none') return undefined
  const { MODE, ALLOW, RATE_KBPS, PORTS } = NETCAP
  if (executor.networks?.includes(grant.mode) !== true)
    return `run.network: the ${executor.name} executor grants no network of mode "${grant.mode}"`
  if (MODE === 'none' || (MODE === 'allowlist' && grant.mode === 'open')) {
    return `run.network.mode: is "${grant.mode}", and NETCAP.MODE is "${MODE}"`
  }
  if (RATE_KBPS !== undefined && (grant.rateKbps === undefined || grant.rateKbps > RATE_KBPS)) {
    return `run.network.rateKbps: must be at most ${RATE_KBPS} (NETCAP.RATE_KBPS)`
  }
  if (grant.mode === 'open') return undefined
  for (const target of grant.allow) {
    const port = Number(target.slice(target.lastIndexOf(':') + 1))
    if (MODE === 'allowlist' && !ALLOW.some((allowed) => covers(allowed, target)))
      return `run.network.allow: ${target} is not in NETCAP.ALLOW`
    if (PORTS !== undefined && !PORTS.includes(port)) return `run.network.allow: port ${port} is not in NETCAP.PORTS`
  }
  return undefined
}

/** `*.example.org:443` covers what ends so at a dot, also with a star. */
function covers(allowed: string, target: string): boolean {
  return allowed === target || (allowed.startsWith('*.') && target.endsWith(allowed.slice(1)))
}
