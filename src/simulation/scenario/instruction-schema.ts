import { z } from 'zod'
import { MAX_DEPTH, MAX_REPLICAS } from '../../../protocols/limits.ts'
import { flag, keys, list, oneOf, whole, words } from '../../config/zod-fields.ts'
import { MAX_SECONDS, name, nodeIndex, number, seconds, share } from './fields.ts'

export const ATTACKER_KINDS = [
  'spam',
  'depth-kept',
  'depth-zeroed',
  'dropper',
  'sybil',
  'eclipse',
  'lying-provider',
  'hostile-hub',
  'equivocating-hub',
] as const

/** Services that one scenario publishes. */
export const MAX_SERVICES = 100_000

const at = () => seconds().describe('when, in seconds since the start')
const service = () => whole(0, MAX_SERVICES - 1).describe('which service: the first that is published is 0')

/** Which nodes; one key says it. */
export const selection = () =>
  keys({
    node: nodeIndex().describe('this node').optional(),
    groups: list(name(), 256).describe('all nodes of these groups').optional(),
    share: share().describe('so many, drawn from all').optional(),
  }).refine(
    (value) => Object.values(value).filter((one) => one !== undefined).length === 1,
    'an object with one of node, groups or share',
  )

const arrival = z.union(
  [
    keys({ kind: z.literal('rate'), everySeconds: number(0.001, MAX_SECONDS) }),
    keys({ kind: z.literal('poisson'), perSecond: number(0.000001, 100_000) }),
    keys({ kind: z.literal('burst'), size: whole(1, MAX_SERVICES), everySeconds: number(0.001, MAX_SECONDS) }),
    keys({ kind: z.literal('trace'), seconds: list(seconds(), MAX_SERVICES) }),
  ],
  '{ kind: "rate", everySeconds }, { kind: "poisson", perSecond }, { kind: "burst", size, everySeconds } or { kind: "trace", seconds }',
)

const publish = keys({
  at: at(),
  do: z.literal('publish'),
  count: whole(1, MAX_SERVICES).describe('how many services').default(1),
  arrival: arrival.describe('when each is published; default: all at once').optional(),
  redirectionDepth: whole(0, MAX_DEPTH).describe('the depth that the author signs').default(MAX_DEPTH),
  from: selection()
    .describe('which nodes publish; default: all, drawn for each service. One that is away publishes nothing')
    .optional(),
  inTurn: flag().describe('these publish in turn, instead of being drawn for each service').default(false),
  keywords: words(16).describe('of each service').default([]),
  toolchain: words(8).describe('of each service').default(['node.js']),
  descLength: whole(0, 4096).describe('characters of the description').default(40),
  replicas: whole(1, MAX_REPLICAS).describe('runs that are wanted in the mesh').default(1),
  lifeSeconds: whole(60, MAX_SECONDS).describe('until it expires').default(3600),
  kind: oneOf(['service', 'task']).describe('what it is').default('service'),
  workSeconds: number(0, MAX_SECONDS).describe('how long a task works').default(1),
  bytes: whole(256, 16_384).describe('the announcement on the wire; the simulated engine has real ones').default(700),
  memoryBytes: whole(1, 2 ** 40)
    .describe('what it asks for')
    .default(67_108_864),
  cpuMillicores: whole(1, 1_000_000).describe('what it asks for').default(100),
})

const update = keys({
  at: at(),
  do: z.literal('update'),
  service: service().describe(
    'of which service its publisher publishes a new version; that is numbered as a service of its own',
  ),
})
const stop = keys({ at: at(), do: z.literal('stop'), service: service() })
const attest = keys({
  at: at(),
  do: z.literal('attest'),
  service: service(),
  hub: nodeIndex().describe('the node that is the hub'),
  verdict: oneOf(['safe', 'unsafe']).default('safe'),
})
const revoke = keys({
  at: at(),
  do: z.literal('revoke'),
  service: service(),
  hub: nodeIndex().describe('the node that is the hub, which calls the code unsafe').default(0),
})
const leave = keys({
  at: at(),
  do: z.literal('leave'),
  who: selection(),
  crash: flag().describe('without a word, as a kill would').default(false),
})
const join = keys({ at: at(), do: z.literal('join'), who: selection() })
const cut = keys({ at: at(), do: z.literal('cut'), who: selection().describe('these are cut from all others') })
const heal = keys({ at: at(), do: z.literal('heal') })
const attack = keys({ at: at(), do: z.literal('attack'), kind: oneOf(ATTACKER_KINDS) })

/** What happens at a given time. */
export const instructionSchema = z.discriminatedUnion(
  'do',
  [publish, update, stop, attest, revoke, leave, join, cut, heal, attack],
  'an instruction: { at, do: "publish" | "update" | "stop" | "attest" | "revoke" | "join" | "leave" | "cut" | "heal" | "attack", ... }',
)

export const attackerSchema = keys({
  kind: oneOf(ATTACKER_KINDS),
  share: share().describe('of all nodes'),
  at: seconds().describe('when they begin; an instruction "attack" of that kind makes them begin before').default(0),
  perSecond: number(0, 10_000).describe('messages of each that spams, each to all of its neighbours').default(10),
  target: nodeIndex().describe('whom an eclipse surrounds').default(0),
})
