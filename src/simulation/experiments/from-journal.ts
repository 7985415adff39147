import { toBase32 } from '../../../protocols/encoding.ts'
import { decodeService, type ServiceBody } from '../../../protocols/service.ts'
import { InputError } from '../../base/errors.ts'
import type { JournaledService } from '../../journal/index.ts'
import { hash32, seedWord } from '../plan/random.ts'
import { wholeScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** The last part of a run is for what is still under way. */
const SPAN = 0.75
/** A scenario's own bounds, for what a journal may have outside of them. */
const LIMITS = { keywords: 16, toolchains: 8, leastLifeSeconds: 60, leastBytes: 256, mostBytes: 16_384 }

export type Replayed = {
  readonly scenario: Scenario
  readonly services: number
  /** seconds of the journal for one of the scenario */
  readonly speed: number
}

/**
 * The scenario with what a node has received in the place of its own publications: when each came, and all that policies
 * look at. Names, authors, addresses and texts stay outside; what one author published comes from one node.
 */
export async function withJournal(
  scenario: Scenario,
  journal: readonly JournaledService[],
  label: string,
): Promise<Replayed> {
  const about = scenario.instructions.findIndex((instruction) => 'service' in instruction)
  if (about >= 0) {
    throw new InputError(
      `instructions[${about}].do is "${scenario.instructions[about]?.do}", of a service that the scenario publishes; with services of a journal, leave it out`,
    )
  }
  const first = journal[0]?.receivedAt
  if (first === undefined)
    throw new InputError(`${label} has no services; name the folder of a node that has received some`)
  const spanMs = Math.max(0, ...journal.map(({ receivedAt }) => receivedAt - first))
  // never slower than it was
  const speed = Math.max(1, spanMs / (scenario.seconds * 1000 * SPAN))
  const word = seedWord('authors of a journal')
  const publications = journal.map(({ body, receivedAt }) => {
    const of = decodeService(body)
    const author = toBase32(of.author)
    const node = hash32(word, seedWord(author), 0) % scenario.nodes
    return { ...publicationOf(of, body.byteLength), at: (receivedAt - first) / 1000 / speed, from: { node } }
  })
  const rest = scenario.instructions.filter((instruction) => instruction.do !== 'publish')
  const raw = { ...scenario, instructions: [...publications, ...rest] }
  return {
    scenario: await wholeScenario(raw, { file: label, folder: '.' }),
    services: journal.length,
    speed,
  }
}

function publicationOf(of: ServiceBody, bytes: number): object {
  const { keywords, toolchain, desc, replicas, issued, expires, run, resources, reach } = of
  return {
    do: 'publish',
    keywords: keywords.slice(0, LIMITS.keywords),
    toolchain: toolchain.slice(0, LIMITS.toolchains),
    descLength: desc.length,
    redirectionDepth: reach.depth,
    lifeSeconds: Math.max(LIMITS.leastLifeSeconds, expires - issued),
    bytes: Math.min(LIMITS.mostBytes, Math.max(LIMITS.leastBytes, bytes)),
    kind: run.kind,
    memoryBytes: resources.memory,
    cpuMillicores: resources.cpu,
    replicas,
  }
}
