import { type FastRandom, fastRandom } from '../plan/random.ts'
import type { Engine } from '../types.ts'

/** A scenario as a person would write it. Only lists that a shrunk one may have less of are named here. */
export type Draft = {
  readonly title: string
  readonly seed: string
  readonly nodes: number
  readonly seconds: number
  readonly groups: readonly object[]
  readonly topology:
    | { readonly kind: 'random-regular'; readonly degree: number }
    | { readonly kind: 'edges'; readonly edges: readonly (readonly [number, number])[] }
  readonly links: object
  readonly instructions: readonly Step[]
  readonly partitions: readonly object[]
  readonly crashes: readonly object[]
}

/** An instruction; `service` is the number of a publication. */
export type Step = { readonly at: number; readonly do: string; readonly service?: number }

/** What must be so in the end has time: a neighbour is dialled again after a minute at most. */
const SECONDS = 240
const PUBLISHED_BY_SECONDS = 30
const DISTURBED_BY_SECONDS = 60
/** What is over soon is over long before the end. */
const SHORT_LIFE_SECONDS = 60
/** A node of a small scenario passes about so many. */
const MAX_CRASH_POINT = 600

/** A small scenario in which much happens. All of it follows from the seed. */
export function generateScenario(seed: string, engine: Engine['name']): Draft {
  const random = fastRandom(`${seed}/fuzz`)
  const nodes = engine === 'simulated' ? 3 + random.int(3) : 4 + random.int(20)
  return {
    ...{ title: `generated from ${seed}`, seed, nodes, seconds: SECONDS },
    groups: groupsOf(random, engine),
    topology: { kind: 'random-regular', degree: degreeOf(random, nodes, engine) },
    links: {
      latencyMs: { min: 1 + random.int(20), max: 30 + random.int(300) },
      jitterMs: random.int(3) * 10,
      loss: random.int(3) * 0.02,
    },
    ...(chance(random, 0.3) ? { verdictMs: { min: 1, max: 1 + random.int(6000) } } : {}),
    instructions: instructionsOf(random, nodes, engine),
    partitions: chance(random, 0.3) ? [partitionOf(random, nodes)] : [],
    crashes: engine === 'simulated' ? some(random, 3, () => crashOf(random, nodes)) : [],
  }
}

type Kind = { readonly chance: number; readonly name: string; readonly policy: object }

/** What the policies of a mesh differ in, beside one that runs and redirects all. */
const KINDS: readonly Kind[] = [
  { chance: 0.3, name: 'silent', policy: { REDIRECT: 'never' } },
  { chance: 0.25, name: 'near', policy: { REDIRECT: 'always', REDIRECTION_DEPTH: 2 } },
]
/** Of whole nodes, which wait and decide again. */
const KINDS_OF_WHOLE_NODES: readonly Kind[] = [
  ...KINDS,
  // it has one place: what comes then waits
  {
    chance: 0.25,
    name: 'small',
    policy: { REDIRECT: 'always', LIMITS: { TOTAL: { MEMORY: '4GiB', CPU: '4', DISK: '4GiB', PIDS: 1024, RUNS: 1 } } },
  },
  // they run what a hub calls safe: until then it waits, or is refused
  { chance: 0.2, name: 'wary', policy: { REDIRECT: 'always', TRUST_TREE: {} } },
  { chance: 0.15, name: 'strict', policy: { REDIRECT: 'always', TRUST_TREE: {}, DORMITORY: { MAX: 0 } } },
]

function groupsOf(random: FastRandom, engine: Engine['name']): object[] {
  const kinds = engine === 'simulated' ? KINDS_OF_WHOLE_NODES : KINDS
  const others = kinds.filter((one) => chance(random, one.chance)).slice(0, 2)
  const share = others.length === 0 ? 0 : chance(random, 0.3) ? 1 / others.length : 0.3
  const open = Math.max(0, 1 - others.length * share)
  return [
    ...(open > 0 ? [{ name: 'open', share: open, policy: { REDIRECT: 'always' } }] : []),
    ...others.map(({ name, policy }) => ({ name, share, policy })),
  ]
}

/** Whole nodes mostly all know one another: where they do not, more of them may start a service than it asks for. */
function degreeOf(random: FastRandom, nodes: number, engine: Engine['name']): number {
  if (engine === 'simulated') return chance(random, 0.3) ? 2 : nodes - 1
  const degree = 2 + random.int(Math.min(5, nodes - 2))
  return (nodes * degree) % 2 === 0 ? degree : degree - 1
}

/** What publishes comes before what is about it: services are numbered in this order. */
function instructionsOf(random: FastRandom, nodes: number, engine: Engine['name']): Step[] {
  const absences = some(random, 4, () => absenceOf(random, nodes))
  const publications = Array.from({ length: 1 + random.int(4) }, () => publicationOf(random, nodes, absences))
  const updates = publications.flatMap(({ at }, service) =>
    engine === 'simulated' && chance(random, 0.25) ? [{ at: soon(random, at), do: 'update', service }] : [],
  )
  const hub = random.int(nodes)
  const ends = publications.flatMap(({ at }, service) => {
    const later = soon(random, at)
    if (chance(random, 0.25)) return [{ at: later, do: 'stop', service }]
    return chance(random, 0.2) ? [{ at: later, do: 'revoke', service, hub }] : []
  })
  const statements = publications.flatMap(({ at }, service) =>
    engine === 'simulated' && chance(random, 0.3)
      ? [{ at: soon(random, at), do: 'attest', service, hub, verdict: 'safe' }]
      : [],
  )
  // the newest word of a hub counts: after a revocation, this one would take it back
  const words = statements.filter(
    (word) => !ends.some((end) => end.do === 'revoke' && end.service === word.service && end.at <= word.at),
  )
  return [...publications, ...updates, ...words, ...ends, ...absences.flat()]
}

function publicationOf(random: FastRandom, nodes: number, absences: readonly (readonly Absence[])[]) {
  const absence = absences[random.int(Math.max(1, absences.length))]?.findLast((step) => step.do === 'leave')
  // what a node did just before it went is what may be lost
  const isLast = absence !== undefined && absence.at <= PUBLISHED_BY_SECONDS && chance(random, 0.3)
  return {
    at: isLast ? time(random, Math.max(0, absence.at - 0.5), absence.at) : time(random, 0, PUBLISHED_BY_SECONDS),
    ...{ do: 'publish', from: { node: isLast ? absence.who.node : random.int(nodes) } },
    ...{ redirectionDepth: random.int(6), replicas: 1 + random.int(3) },
    ...(chance(random, 0.25) ? { kind: 'task', workSeconds: random.int(5) } : {}),
    ...(chance(random, 0.1) ? { lifeSeconds: SHORT_LIFE_SECONDS } : {}),
  }
}

type Absence = {
  readonly at: number
  readonly do: string
  readonly who: { readonly node: number }
  readonly crash?: boolean
}

/** A node goes and comes back, once or twice in a row, or stays away. */
function absenceOf(random: FastRandom, nodes: number): Absence[] {
  const who = { node: random.int(nodes) }
  const crash = chance(random, 0.6)
  const steps: Absence[] = []
  let at = time(random, 0, DISTURBED_BY_SECONDS)
  for (let again = true; again; again = steps.length < 4 && chance(random, 0.3)) {
    const back = time(random, at + 0.2, at + 8)
    steps.push({ at, do: 'leave', who, crash }, { at: back, do: 'join', who })
    at = time(random, back, back + 3)
  }
  return chance(random, 0.2) ? steps.slice(0, -1) : steps
}

/** Often at once, while what it is about is still under way. */
function soon(random: FastRandom, from: number): number {
  return chance(random, 0.4) ? time(random, from, from + 5) : time(random, from, DISTURBED_BY_SECONDS)
}

function partitionOf(random: FastRandom, nodes: number): object {
  const at = time(random, 0, PUBLISHED_BY_SECONDS)
  return { at, until: time(random, at + 0.5, DISTURBED_BY_SECONDS), cut: { node: random.int(nodes) } }
}

function crashOf(random: FastRandom, nodes: number): object {
  return {
    ...{ node: random.int(nodes), point: 1 + random.int(MAX_CRASH_POINT) },
    ...{ downSeconds: time(random, 0.5, 6), powerCut: chance(random, 0.4) },
  }
}

function some<T>(random: FastRandom, below: number, make: () => T): T[] {
  return Array.from({ length: random.int(below) }, make)
}

function chance(random: FastRandom, share: number): boolean {
  return random.fraction() < share
}

/** Tenths of seconds: people read them. */
function time(random: FastRandom, from: number, to: number): number {
  return Math.round((from + random.fraction() * Math.max(0, to - from)) * 10) / 10
}
