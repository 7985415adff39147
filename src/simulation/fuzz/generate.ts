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
/** A node of a small scenario passes about so many. */
const MAX_CRASH_POINT = 600

/** A small scenario in which much happens. All of it follows from the seed. */
export function generateScenario(seed: string, engine: Engine['name']): Draft {
  const random = fastRandom(`${seed}/fuzz`)
  const nodes = engine === 'simulated' ? 3 + random.int(3) : 4 + random.int(20)
  const silent = chance(random, 0.4)
  return {
    ...{ title: `generated from ${seed}`, seed, nodes, seconds: SECONDS },
    groups: [
      { name: 'open', share: silent ? 0.7 : 1, policy: { REDIRECT: 'always' } },
      ...(silent ? [{ name: 'silent', share: 0.3, policy: { REDIRECT: 'never' } }] : []),
    ],
    topology: { kind: 'random-regular', degree: degreeOf(random, nodes, engine) },
    links: {
      latencyMs: { min: 1 + random.int(20), max: 30 + random.int(300) },
      jitterMs: random.int(3) * 10,
      loss: random.int(3) * 0.02,
    },
    instructions: instructionsOf(random, nodes, engine),
    partitions: chance(random, 0.3) ? [partitionOf(random, nodes)] : [],
    crashes: engine === 'simulated' ? some(random, 3, () => crashOf(random, nodes)) : [],
  }
}

/** Whole nodes all know one another: else more of them start a service than it asks for. */
function degreeOf(random: FastRandom, nodes: number, engine: Engine['name']): number {
  if (engine === 'simulated') return nodes - 1
  const degree = 2 + random.int(Math.min(5, nodes - 2))
  return (nodes * degree) % 2 === 0 ? degree : degree - 1
}

/** What publishes comes before what is about it: services are numbered in this order. */
function instructionsOf(random: FastRandom, nodes: number, engine: Engine['name']): Step[] {
  const publications = Array.from({ length: 1 + random.int(4) }, () => ({
    ...{ at: time(random, 0, PUBLISHED_BY_SECONDS), do: 'publish', from: { node: random.int(nodes) } },
    ...{ redirectionDepth: random.int(6), replicas: 1 + random.int(3) },
    ...(chance(random, 0.25) ? { kind: 'task', workSeconds: random.int(5) } : {}),
  }))
  const updates = publications.flatMap(({ at }, service) =>
    engine === 'simulated' && chance(random, 0.25)
      ? [{ at: time(random, at, DISTURBED_BY_SECONDS), do: 'update', service }]
      : [],
  )
  const ends = publications.flatMap(({ at }, service) => {
    const later = time(random, at, DISTURBED_BY_SECONDS)
    if (chance(random, 0.25)) return [{ at: later, do: 'stop', service }]
    return chance(random, 0.2) ? [{ at: later, do: 'revoke', service, hub: random.int(nodes) }] : []
  })
  const absences = some(random, 3, () => {
    const who = { node: random.int(nodes) }
    const at = time(random, 0, DISTURBED_BY_SECONDS)
    return [
      { at, do: 'leave', who, crash: chance(random, 0.6) },
      { at: time(random, at + 0.2, at + 8), do: 'join', who },
    ]
  })
  return [...publications, ...updates, ...ends, ...absences.flat()]
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
