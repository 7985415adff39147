import type { Need, Verdict } from '../../../../src/base/verdict.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService } from '../../../../src/runner/contract.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import { said } from './hubs.ts'

type World = { service: ReceivedService; node: RunnerSnapshot }

/** More rounds than any service needs: each rule tells of at most four things at a time. */
const ROUNDS = 20

/**
 * Does what the needs of a verdict say, and asks again, until the service runs or a reason says that nothing helps.
 * Where several things would help, the first is taken. An unknown need is an error.
 */
export function followNeeds(service: ReceivedService, node: RunnerSnapshot): { verdict: Verdict; rounds: number } {
  let world: World = { service, node }
  for (let rounds = 0; ; rounds++) {
    const verdict = andromeda(world.service, world.node)
    const open = verdict.reasons.filter(({ outcome }) => outcome !== 'pass')
    if (open.length === 0 || rounds === ROUNDS || open.some(({ needs }) => needs === undefined))
      return { verdict, rounds }
    for (const { needs } of open) world = meet(needs as Need, world)
  }
}

function meet({ field, must, value }: Need, { service, node }: World): World {
  const [first] = value.split(', ') as [string]
  const without = value.replace(/^without /, '')
  const change = (changed: Partial<ReceivedService>) => ({ service: { ...service, ...changed }, node })
  const learn = (known: Partial<RunnerSnapshot>) => ({ service, node: { ...node, ...known } })
  const free = (known: object) => learn({ capacity: { ...node.capacity, ...known } })
  const { capacity, attestations, frozen, config } = node
  const hubs = Object.keys(config.TRUSTED_HUBS)
  const quorum = { hubs: 0, weight: 0, met: true, ...node.quorum }
  switch (`${field} ${must}`) {
    case 'desc.length at-most':
      return change({ desc: service.desc.slice(0, Number(value)) })
    case 'keywords one-of':
      return change({ keywords: [first] })
    case 'toolchain one-of':
      return change({ toolchain: [first] })
    case 'sources one-of':
      return change({ sources: [first === 'mesh' ? { type: 'mesh' } : { type: 'https', url: `https://${first}/x` }] })
    case 'network be':
      return change({ network: value === 'empty' ? [] : service.network.filter((target) => target !== without) })
    case 'reward one-of': {
      const [perHour, asset] = first.split(' ') as [string, string]
      return change({ reward: { asset, perHour } })
    }
    case 'reward.perHour at-least':
      return change({ reward: { asset: service.reward?.asset as string, perHour: value } })
    case 'resources.memory at-most':
    case 'resources.cpu at-most':
    case 'resources.disk at-most':
    case 'resources.pids at-most':
      return change({ resources: { ...service.resources, [field.split('.')[1] as string]: Number(value) } })
    case 'hostchains be':
      return change({ hostchains: service.hostchains.filter((chain) => chain.toLowerCase() !== without) })
    case 'symbiotes be':
      return change({ symbiotes: service.symbiotes.filter((chain) => chain !== without) })
    case 'author one-of':
      return change({ author: first })
    case 'node.free.memory at-least':
      return free({ memoryBytes: Number(value) })
    case 'node.free.cpu at-least':
      return free({ cpuMillicores: Number(value) })
    case 'node.free.disk at-least':
      return free({ diskBytes: Number(value) })
    case 'node.free.pids at-least':
      return free({ pids: Number(value) })
    case 'node.free.runs at-least':
      return free({ runs: Number(value) })
    case 'node.executors one-of':
      return free({ executors: [...capacity.executors, { name: first }] })
    case 'attestations be': {
      const hub = value.replace(/^safe by /, '')
      return learn({ attestations: [...attestations.filter((word) => word.hub !== hub), said(hub, 'safe')] })
    }
    case 'quorum.hubs at-least':
      return learn({
        attestations: [...attestations, ...hubs.map((hub) => said(hub, 'safe', 120))],
        quorum: { ...quorum, hubs: Number(value) },
      })
    case 'quorum.weight at-least':
      return learn({
        attestations: [...attestations, ...hubs.map((hub) => said(hub, 'safe', 120))],
        quorum: { ...quorum, weight: Number(value) },
      })
    case 'quorum.met be':
      return learn({ quorum: { ...quorum, met: true } })
    case 'delegation one-of':
      return learn({ inTree: true })
    case 'frozen at-least': {
      const [amount, chain] = value.split(' on ') as [string, string]
      return learn({ frozen: [...frozen, { hub: hubs[0] as string, chain, amount }] })
    }
    default:
      throw new Error(`nobody knows how to meet ${field} ${must} ${value}`)
  }
}
