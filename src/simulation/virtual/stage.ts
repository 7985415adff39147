import type { HubStatement } from '../../runner/contract.ts'
import { DECIDING_RULES, DISPOSITIONS } from '../events.ts'
import { hashFraction, seedWord } from '../plan/random.ts'
import type { Action } from '../plan/timeline.ts'
import { NONE } from '../tables.ts'
import { type Announcement, CELL, CELLS, createAnnouncement, REDIRECT } from './announcement.ts'
import { START_SECONDS, TICKS_PER_MS } from './constants.ts'
import { createGossip, type Gossip } from './gossip.ts'
import { createVirtualIntake, type VirtualIntake } from './intake.ts'
import { createMesh, type Mesh } from './mesh.ts'
import { KIND, packEvent } from './messages.ts'
import { createRuns, type Runs } from './runs.ts'
import { createScoring, type Scoring } from './scoring.ts'
import { createTransmission, type Transmission } from './transmission.ts'
import { createVerdicts, receivedServiceOf, type Situation, type Verdicts } from './verdicts.ts'
import { isOnline, msOf, type World } from './world.ts'

/** The nodes, and what they have of each announcement. */
export type Stage = {
  readonly world: World
  readonly mesh: Mesh
  readonly gossip: Gossip
  readonly intake: VirtualIntake
  readonly runs: Runs
  readonly transmission: Transmission
  readonly verdicts: Verdicts
  readonly scoring: Scoring
  /** in the order in which they were made */
  readonly announcements: readonly Announcement[]
  publish(action: Extract<Action, { do: 'publish' }>): void
  stop(action: Extract<Action, { do: 'stop' }>): void
  attest(action: Extract<Action, { do: 'attest' }>): void
  /** The runner's answer is there. */
  onVerdict(announcement: Announcement, node: number): void
  /** A node that comes back asks its runner about what is left undecided. */
  decideLeftOver(node: number): void
}

/** How long statements of a scenario are valid: longer than any of them lasts. */
const STATEMENT_SECONDS = 31_536_000
const STATEMENT_BYTES = 400
const NONE_KNOWN: readonly HubStatement[] = []

export function createStage(world: World): Stage {
  const { plan, graph, calendar, recorder } = world
  const { scenario, groupOf } = plan
  const transmission = createTransmission(world)
  const mesh = createMesh(world, transmission)
  const gossip = createGossip(world, mesh, transmission)
  const verdicts = createVerdicts(plan)
  const runs = createRuns(world)
  const limits = scenario.groups.map((_, group) => verdicts.depthLimit(group))
  const intake = createVirtualIntake({ world, gossip, transmission, limits, onNews })
  const announcements: Announcement[] = []
  const services = new Map<number, Announcement>()
  const statements = new Map<number, Announcement[]>()
  const word = seedWord(`${scenario.seed}/verdicts`)
  const { min, max } = scenario.verdictMs

  function add(of: Omit<Parameters<typeof createAnnouncement>[1], 'index' | 'publishedMs' | 'issued'>): Announcement {
    const announcement = createAnnouncement(graph.nodes, {
      ...of,
      index: announcements.length,
      issued: START_SECONDS + Math.floor(msOf(world) / 1000),
      publishedMs: msOf(world),
    })
    announcements.push(announcement)
    return announcement
  }

  function askRunner({ index }: Announcement, node: number): void {
    const ms = min + hashFraction(word, node, index) * (max - min)
    const tick = world.tick + Math.max(1, Math.round(ms * TICKS_PER_MS))
    calendar.add(tick, packEvent(node * world.slots, index, 0, KIND.verdict))
  }

  function onNews(of: Announcement, node: number): void {
    const service = services.get(of.service)
    if (of.kind === 'service' && node !== of.publisher) askRunner(of, node)
    if (of.kind === 'stop' && service !== undefined) revoke(service, node)
    if (of.kind === 'statement') onStatement(of, node, service)
  }

  function onStatement(of: Announcement, node: number, service: Announcement | undefined): void {
    const ms = msOf(world)
    const verdict = of.statement?.verdict ?? 'safe'
    if (recorder.record('attested', ms, node, of.service, verdict === 'safe' ? 0 : 1, 0))
      recorder.give({ ms, node, event: 'attested', service: of.service, verdict })
    if (service !== undefined && service.cells[node * CELLS + CELL.disposition] !== NONE) decideAgain(service, node)
  }

  function revoke(service: Announcement, node: number): void {
    const at = node * CELLS + CELL.ended
    if (service.cells[at] === 1) return
    service.cells[at] = 1
    runs.end(service, node)
    const ms = msOf(world)
    service.revokedMs[node] = ms
    if (recorder.record('revoked', ms, node, service.service, 0, 0))
      recorder.give({ ms, node, event: 'revoked', service: service.service })
  }

  function situationOf(of: Announcement, node: number): Situation {
    return {
      group: groupOf[node] as number,
      own: node === of.publisher,
      running: runs.of(node),
      attestations: attestationsAt(of.service, node),
      nowSeconds: START_SECONDS + Math.floor(msOf(world) / 1000),
    }
  }

  function attestationsAt(service: number, node: number): readonly HubStatement[] {
    const known = statements.get(service)
    if (known === undefined) return NONE_KNOWN
    return known.flatMap(({ cells, statement, publisher, issued, expires }) => {
      if (cells[node * CELLS + CELL.best] === NONE || statement === undefined) return []
      return [{ hub: verdicts.addressOf(publisher), verdict: statement.verdict, issued, expires }]
    })
  }

  /** Answers whether the service is sent on. */
  function decide(of: Announcement, node: number): boolean {
    const { disposition, redirect, rule } = verdicts.decide(of.received, situationOf(of, node))
    const { cells, service } = of
    const row = node * CELLS
    cells[row + CELL.disposition] = disposition
    cells[row + CELL.rule] = rule
    const ms = msOf(world)
    if (recorder.record('verdict', ms, node, service, disposition * 2 + (redirect ? 1 : 0), rule)) {
      const verdict = DISPOSITIONS[disposition] ?? 'refused'
      const depth = cells[row + CELL.best] as number
      recorder.give({
        ms,
        node,
        event: 'verdict',
        service,
        verdict,
        redirect,
        rule: DECIDING_RULES[rule] ?? 'none',
        depth,
      })
    }
    if (DISPOSITIONS[disposition] === 'run') runs.claim(of, node)
    return redirect
  }

  /** A statement has come: the verdict may be another one now, but for what is over. */
  function decideAgain(of: Announcement, node: number): void {
    if (of.cells[node * CELLS + CELL.ended] === 1) return
    const redirect = decide(of, node)
    const disposition = DISPOSITIONS[of.cells[node * CELLS + CELL.disposition] as number]
    if (disposition === 'refused') {
      revoke(of, node)
      return
    }
    if (disposition !== 'run') runs.end(of, node)
    if (redirect !== (of.cells[node * CELLS + CELL.redirect] === REDIRECT.yes)) intake.onVerdict(of, node, redirect)
  }

  return {
    world,
    mesh,
    gossip,
    intake,
    runs,
    transmission,
    verdicts,
    scoring: createScoring(world),
    announcements,
    publish({ service, node, of }) {
      if (!isOnline(world, node)) return
      const issued = START_SECONDS + Math.floor(msOf(world) / 1000)
      const { redirectionDepth: reach, bytes, lifeSeconds } = of
      const received = receivedServiceOf(service, of, { author: verdicts.addressOf(node), issued })
      const expires = issued + lifeSeconds
      const kind = 'service'
      const added = add({ kind, service, publisher: node, reach, bytes, expires, received, statement: undefined })
      services.set(service, added)
      const ms = msOf(world)
      if (recorder.record('published', ms, node, service, 1, reach))
        recorder.give({ ms, node, event: 'published', service, version: 1, depth: reach })
      intake.publish(added)
    },
    stop({ service }) {
      const of = services.get(service)
      if (of === undefined || !isOnline(world, of.publisher)) return
      prepareRevocation(of)
      const { publisher, reach, expires, received } = of
      const bytes = STATEMENT_BYTES
      intake.publish(add({ kind: 'stop', service, publisher, reach, bytes, expires, received, statement: undefined }))
    },
    attest(statement) {
      const of = services.get(statement.service)
      if (of === undefined || !isOnline(world, statement.hub)) return
      if (statement.verdict === 'unsafe') prepareRevocation(of)
      const expires = START_SECONDS + STATEMENT_SECONDS
      const kind = 'statement'
      const { service, received } = of
      const publisher = statement.hub
      const added = add({ kind, service, publisher, reach: 0, bytes: STATEMENT_BYTES, expires, received, statement })
      statements.set(service, [...(statements.get(service) ?? []), added])
      intake.publish(added)
    },
    onVerdict(of, node) {
      if (!isOnline(world, node) || of.cells[node * CELLS + CELL.redirect] !== REDIRECT.unknown) return
      // stopped while the runner was asked: the verdict is about something that is over
      const isOver = of.cells[node * CELLS + CELL.ended] === 1
      intake.onVerdict(of, node, isOver ? false : decide(of, node))
    },
    decideLeftOver(node) {
      for (const of of announcements) {
        if (of.kind !== 'service' || of.cells[node * CELLS + CELL.redirect] !== REDIRECT.unknown) continue
        if (of.cells[node * CELLS + CELL.best] !== NONE) askRunner(of, node)
      }
    },
  }
}

function prepareRevocation(of: Announcement): void {
  if (of.revokedMs.length === 0) of.revokedMs = new Float64Array(of.from.length).fill(Number.NaN)
}
