import { formatBytes } from '../base/format.ts'
import type { Grant, Reason, Verdict } from '../base/verdict.ts'
import type { NodeFacts } from '../runner/index.ts'

/**
 * What no runner may do, whoever wrote it: give away more than LIMITS, name an executor that is not there or network
 * that it cannot grant, end what LIMITS.EVICT or SERVICES protect. Answers what is wrong with a verdict, if anything.
 */
export function checkVerdict(
  { run: grant, evict = [] }: Verdict,
  about: { author: string; timeout: number | undefined },
  { config, capacity, own, running }: NodeFacts,
): Reason | undefined {
  if (grant === false) return undefined
  const { SERVICE, EVICT } = config.LIMITS
  for (const { field, limit, words } of AMOUNTS) {
    if (grant[field] <= SERVICE[limit]) continue
    return no(`${field} is ${words(grant[field])}, and LIMITS.SERVICE.${limit} allows ${words(SERVICE[limit])}`)
  }
  const seconds = Math.min(grant.timeoutSeconds ?? Number.POSITIVE_INFINITY, about.timeout ?? Number.POSITIVE_INFINITY)
  if (SERVICE.TIMEOUT !== undefined && seconds > SERVICE.TIMEOUT) {
    const given = Number.isFinite(seconds) ? `is ${seconds} s` : 'is missing'
    return no(`timeoutSeconds ${given}, and LIMITS.SERVICE.TIMEOUT allows ${SERVICE.TIMEOUT} s`)
  }
  const executor = capacity.executors.find(({ name }) => name === grant.executor)
  if (executor === undefined) {
    const there = capacity.executors.map(({ name }) => name).join(' and ') || 'none'
    return no(`executor is "${grant.executor}", which is not on this node now (${there} is)`)
  }
  if (executor.ownOnly === true && about.author !== own) {
    return no(`executor is "${grant.executor}", which runs services of the node's own address only`)
  }
  const { mode } = grant.network
  if (mode !== 'none' && !(executor.networks ?? []).includes(mode)) {
    return no(`network.mode is "${mode}", which the executor "${grant.executor}" cannot grant; "none" is right`)
  }
  const wanted = running.filter(({ id }) => evict.includes(id))
  if (evict.length > 0 && !EVICT) {
    return no('evict names running services, and LIMITS.EVICT of this node does not let any end for another')
  }
  const protectedOne = wanted.find((service) => service.own)
  if (protectedOne === undefined) return undefined
  return no(`evict names ${protectedOne.id}, which is one of the operator's own SERVICES`)
}

const AMOUNTS = [
  { field: 'memoryBytes', limit: 'MEMORY', words: formatBytes },
  { field: 'cpuMillicores', limit: 'CPU', words: (amount: number) => `${amount} millicores` },
  { field: 'diskBytes', limit: 'DISK', words: formatBytes },
  { field: 'pids', limit: 'PIDS', words: String },
] as const satisfies readonly { field: keyof Grant; limit: string; words: (amount: number) => string }[]

function no(what: string): Reason {
  return { rule: 'node', outcome: 'fail', message: `the runner's grant is not carried out: ${what}` }
}
