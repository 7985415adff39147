import { formatAddress } from '../../../protocols/address.ts'
import { dispositionOf } from '../../admission/disposition.ts'
import { availableCapacity, totalLimits } from '../../admission/facts/capacity.ts'
import { type RunnerConfig, readPolicy } from '../../config/index.ts'
import { andromeda } from '../../runner/andromeda/index.ts'
import type { RuleContext } from '../../runner/andromeda/rule.ts'
import type { HubStatement, ReceivedService, RunningService } from '../../runner/contract.ts'
import { decidingRule } from '../deciding-rule.ts'
import { DECIDING_RULES, DISPOSITIONS } from '../events.ts'
import { MACHINE } from '../machine/resources.ts'
import { identityOf } from '../plan/identity.ts'
import type { Plan } from '../plan/plan.ts'
import { policyOf, trustedIn } from '../plan/policy.ts'
import type { Publication } from '../plan/timeline.ts'

/** A verdict, as tables have it. */
export type PackedVerdict = {
  /** index in DISPOSITIONS */
  readonly disposition: number
  readonly redirect: boolean
  /** index in DECIDING_RULES */
  readonly rule: number
}

/** What a node knows when it is asked. */
export type Situation = {
  readonly group: number
  /** is the service its own? */
  readonly own: boolean
  /** what runs there, in the order of the starts */
  readonly running: readonly RunningService[]
  readonly attestations: readonly HubStatement[]
  readonly nowSeconds: number
}

/** Andromeda, asked with the same configuration and the same facts as a whole node would ask it. */
export interface Verdicts {
  /** Remembered where everything that Andromeda sees is the same. */
  decide(service: ReceivedService, situation: Situation): PackedVerdict
  /** Always asks. */
  ask(service: ReceivedService, situation: Situation): PackedVerdict
  /** the policy's REDIRECTION_DEPTH */
  depthLimit(group: number): number
  configOf(group: number): RunnerConfig
  addressOf(node: number): string
  readonly asked: number
}

const NOBODY = 'another node'
const MAX_REMEMBERED = 200_000

export function createVerdicts({ scenario, timeline }: Plan): Verdicts {
  const addresses = new Map<number, string>()
  const addressOf = (node: number) => {
    const known = addresses.get(node) ?? formatAddress(identityOf(scenario.seed, node).signer.address)
    addresses.set(node, known)
    return known
  }
  const { authors, hubs } = trustedIn(timeline)
  const trusted = { authors: authors.map(addressOf), hubs: hubs.map(addressOf) }
  const configs = scenario.groups.map((_, group) => readPolicy(policyOf(scenario, group, trusted)).policy.config)
  const totals = configs.map(totalLimits)
  const executors = [{ name: 'host' as const }]
  const remembered = new Map<string, PackedVerdict>()
  /** by group: of nodes that run nothing, and know of no statement */
  const plainly = new Map<ReceivedService, PackedVerdict[]>()
  let asked = 0

  function contextOf(
    service: ReceivedService,
    { group, own, running, attestations, nowSeconds }: Situation,
  ): RuleContext {
    const config = configs[group] as RunnerConfig
    const total = totals[group] as ReturnType<typeof totalLimits>
    const capacity = availableCapacity(total, running, MACHINE)
    return {
      config,
      own: own ? service.author : NOBODY,
      capacity: { ...capacity, executors },
      running,
      depth: 0,
      attestations,
      quorum: null,
      inTree: false,
      frozen: [],
      value: null,
      now: nowSeconds,
    }
  }

  function ask(service: ReceivedService, situation: Situation): PackedVerdict {
    asked++
    const verdict = andromeda(service, contextOf(service, situation))
    return {
      disposition: DISPOSITIONS.indexOf(dispositionOf(verdict)),
      redirect: verdict.redirect,
      rule: DECIDING_RULES.indexOf(decidingRule(verdict)),
    }
  }

  function decideByKey(service: ReceivedService, situation: Situation): PackedVerdict {
    const key = keyOf(service, situation)
    const known = remembered.get(key)
    if (known !== undefined) return known
    const verdict = ask(service, situation)
    if (remembered.size < MAX_REMEMBERED) remembered.set(key, verdict)
    return verdict
  }

  return {
    ask,
    decide(service, situation) {
      const { group, own, running, attestations } = situation
      if (own || running.length > 0 || attestations.length > 0) return decideByKey(service, situation)
      // at most nodes nothing else differs
      const plain = plainly.get(service) ?? []
      if (plain.length === 0) plainly.set(service, plain)
      plain[group] ??= ask(service, situation)
      return plain[group]
    },
    depthLimit: (group) => (configs[group] as RunnerConfig).REDIRECTION_DEPTH,
    configOf: (group) => configs[group] as RunnerConfig,
    addressOf,
    get asked() {
      return asked
    },
  }
}

/**
 * All that differs between two questions in one scenario: configuration, machine, executors, and what is known of the author
 * are the same for all nodes of a group. Rules read the time for statements alone.
 */
function keyOf({ id }: ReceivedService, { group, own, running, attestations, nowSeconds }: Situation): string {
  const runs = running.length === 0 ? '' : running.map((run) => `${run.id}:${run.own ? 1 : 0}`).join(',')
  const known = attestations
    .map(({ hub, verdict, issued, expires }) => `${hub}${verdict}${issued}-${expires}`)
    .join(',')
  return `${id} ${group} ${own ? 1 : 0} ${runs} ${known === '' ? '' : `${known} ${nowSeconds}`}`
}

/** What a runner would see of a publication. Names and content ids stand for those that a whole node would make. */
export function receivedServiceOf(
  service: number,
  of: Publication,
  { author, issued }: { author: string; issued: number },
): ReceivedService {
  const { keywords, toolchain, descLength, replicas, lifeSeconds, kind, bytes, memoryBytes, cpuMillicores } = of
  return {
    id: `service-${service}`,
    author,
    name: `service-${service}`,
    seq: 1,
    title: '',
    desc: 'x'.repeat(descLength),
    keywords,
    toolchain,
    symbiotes: [],
    hostchains: [],
    issued,
    expires: issued + lifeSeconds,
    code: `code-${service}`,
    sources: [{ type: 'mesh' }],
    run: {
      kind,
      command: kind === 'task' ? ['work', String(of.workSeconds)] : ['serve', '8080'],
      ...(kind === 'service' && { ports: [{ name: 'http', port: 8080, access: 'any' as const }] }),
    },
    resources: { memory: memoryBytes, disk: DISK_BYTES, cpu: cpuMillicores, pids: PIDS },
    network: [],
    replicas,
    replyTo: [],
    sizeBytes: bytes,
  }
}

/** What the services of scenarios ask for, beside what a scenario says. */
export const DISK_BYTES = 8 * 1024 * 1024
export const PIDS = 16
