import type { Need, Verdict } from '../../../../src/base/verdict.ts'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import type { ReceivedService } from '../../../../src/runner/contract.ts'
import type { RunnerSnapshot } from '../../../../src/runner/index.ts'
import type { Settings } from './any.ts'
import { said } from './table.ts'

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

/** What is free of each, by its name in a need. */
const FREE: Record<string, string> = {
  memory: 'memoryBytes',
  cpu: 'cpuMillicores',
  disk: 'diskBytes',
  pids: 'pids',
  runs: 'runs',
}

function meet({ field, must, value }: Need, { service, node }: World): World {
  const [first] = value.split(', ') as [string]
  const name = field.split('.').at(-1) as string
  const without = value.replace(/^without /, '')
  const change = (changed: Partial<ReceivedService>) => ({ service: { ...service, ...changed }, node })
  const learn = (known: Partial<RunnerSnapshot>) => ({ service, node: { ...node, ...known } })
  const free = (known: object) => learn({ capacity: { ...node.capacity, ...known } })
  const { capacity, attestations, frozen, config } = node
  const hubs = Object.keys(config.TRUSTED_HUBS)
  const quorum = { hubs: 0, weight: 0, met: true, ...node.quorum }
  if (field === `node.free.${name}` && must === 'at-least' && name in FREE)
    return free({ [FREE[name] as string]: Number(value) })
  if (field === `node.free.here.${name}` && must === 'at-least' && name in FREE && capacity.here !== undefined)
    return free({ here: { ...capacity.here, [FREE[name] as string]: Number(value) } })
  if (field === `resources.${name}` && must === 'at-most' && name in service.resources)
    return change({ resources: { ...service.resources, [name]: Number(value) } })
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
    case 'hostchains be':
      return change({ hostchains: service.hostchains.filter((chain) => chain.toLowerCase() !== without) })
    case 'symbiotes be':
      return change({ symbiotes: service.symbiotes.filter((chain) => chain !== without) })
    case 'author one-of':
      return change({ author: first })
    case 'node.executors one-of':
      return free({ executors: [...capacity.executors, { name: first }] })
    case 'attestations be': {
      const hub = value.replace(/^safe by /, '')
      return learn({ attestations: [...attestations.filter((word) => word.hub !== hub), said(hub, 'safe')] })
    }
    case 'quorum.hubs at-least':
    case 'quorum.weight at-least':
      return learn({
        attestations: [...attestations, ...hubs.map((hub) => said(hub, 'safe', 120))],
        quorum: { ...quorum, [name]: Number(value) },
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

type Change = (settings: Settings) => object

const firstOf = <T>(list: readonly T[] | undefined) => (list === undefined ? [] : list.slice(0, -1))
const halved = (total: Record<string, number>) =>
  Object.fromEntries(Object.entries(total).map(([key, value]) => [key, Math.floor(value / 2)]))
const frozen = <T extends object>(chains: T) =>
  Object.fromEntries(Object.keys(chains).map((chain) => [chain, { MIN_FREEZE: 40 }]))
const dearer = (pricing: object) =>
  Object.fromEntries(Object.keys(pricing).map((asset) => [asset, { GIB_HOUR: '1000', CORE_HOUR: '2000' }]))
/** With EVICT, a service that ranks higher may evict others: settings that change the rank are compared without it. */
const alone = ({ LIMITS }: Settings) => ({ ...LIMITS, EVICT: false })

/**
 * What "stricter" means for each key that decides whether a service runs: the settings before, the settings after. Not
 * here: TRUSTED_HUBS (a hub more can speak for a service or against it) and keys that no service fails.
 */
export const stricter: Record<string, { before?: Change; after: Change }> = {
  DESC_MAX_LEN: { after: ({ DESC_MAX_LEN }) => ({ DESC_MAX_LEN: Math.floor(DESC_MAX_LEN / 8) }) },
  'KEYWORDS, one fewer': {
    after: ({ KEYWORDS }) => ({ KEYWORDS: KEYWORDS.length > 1 ? firstOf(KEYWORDS.toReversed()) : KEYWORDS }),
  },
  'KEYWORDS, some instead of none': {
    before: (settings) => ({ KEYWORDS: [], LIMITS: alone(settings) }),
    after: (settings) => ({ KEYWORDS: ['web3'], LIMITS: alone(settings) }),
  },
  'PREFER_TOOLCHAIN.docker': {
    after: ({ PREFER_TOOLCHAIN }) => ({ PREFER_TOOLCHAIN: { ...PREFER_TOOLCHAIN, docker: [] } }),
  },
  'PREFER_TOOLCHAIN.host': {
    after: ({ PREFER_TOOLCHAIN }) => ({ PREFER_TOOLCHAIN: { ...PREFER_TOOLCHAIN, host: [] } }),
  },
  'NETCAP.MODE none': { after: () => ({ NETCAP: {} }) },
  'NETCAP.MODE allowlist': {
    before: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'open' } }),
    after: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'allowlist' } }),
  },
  'NETCAP.ALLOW': {
    before: ({ NETCAP }) => ({ NETCAP: { ALLOW: [], ...NETCAP, MODE: 'allowlist' } }),
    after: ({ NETCAP }) => ({
      NETCAP: { ...NETCAP, MODE: 'allowlist', ALLOW: 'ALLOW' in NETCAP ? firstOf(NETCAP.ALLOW) : [] },
    }),
  },
  'NETCAP.PORTS': {
    before: ({ NETCAP }) => ({ NETCAP: { ...NETCAP, MODE: 'open', PORTS: undefined } }),
    after: ({ NETCAP }) => ({ NETCAP: { ...NETCAP, MODE: 'open', PORTS: [22] } }),
  },
  'PREFER_HOSTCHAINS.MIN_FREEZE': {
    after: ({ PREFER_HOSTCHAINS }) => ({ PREFER_HOSTCHAINS: frozen(PREFER_HOSTCHAINS) }),
  },
  'PREFER_SYMBIOTES.MIN_FREEZE': { after: ({ PREFER_SYMBIOTES }) => ({ PREFER_SYMBIOTES: frozen(PREFER_SYMBIOTES) }) },
  TRUST_TREE: { after: () => ({ TRUST_TREE: { ROOTS: {} } }) },
  'QUORUM.HUBS': {
    before: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { HUBS: 1 } } : {}),
    after: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { HUBS: 3 } } : {}),
  },
  'QUORUM.WEIGHT': {
    after: ({ TRUSTED_HUBS }) => (Object.keys(TRUSTED_HUBS).length > 0 ? { QUORUM: { WEIGHT: 3 } } : {}),
  },
  ALLOWED_STORAGE: { after: ({ ALLOWED_STORAGE }) => ({ ALLOWED_STORAGE: firstOf(ALLOWED_STORAGE) }) },
  REGISTRIES: { after: () => ({ REGISTRIES: {} }) },
  'PRICING, some instead of none': {
    before: (settings) => ({ PRICING: {}, LIMITS: alone(settings) }),
    after: (settings) => ({ PRICING: { kly: { CORE_HOUR: 1000 } }, LIMITS: alone(settings) }),
  },
  'PRICING, dearer': {
    before: (settings) => ({ LIMITS: alone(settings) }),
    after: (settings) => ({ PRICING: dearer(settings.PRICING), LIMITS: alone(settings) }),
  },
  'LIMITS.TOTAL': { after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, TOTAL: halved(LIMITS.TOTAL) } }) },
  'LIMITS.SERVICE': {
    after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, SERVICE: { MEMORY: 1, CPU: 1, DISK: 1, PIDS: 1 } } }),
  },
  'LIMITS.EVICT': {
    before: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, EVICT: true } }),
    after: ({ LIMITS }) => ({ LIMITS: { ...LIMITS, EVICT: false } }),
  },
  MODES: {
    before: () => ({
      MODES: { storage: 'warn', trust: 'warn', price: 'warn', freeze: 'warn', veto: 'warn', network: 'warn' },
    }),
    after: () => ({ MODES: {} }),
  },
}
