import { createNodeSets, type NodeSets } from '../observation/node-sets.ts'
import { createPresence, type Presence } from '../observation/presence.ts'
import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'
import { NONE, type SpreadTable } from '../tables.ts'

/** From the arrival of a service at a node to its arrival at the neighbours. */
const UNDER_WAY_MS = 20_000

type State = {
  readonly facts: RunFacts
  readonly presence: Presence
  /** nodes that were away or cut off at some time: what they missed, they may get later than the run lasts */
  readonly unsteady: Set<number>
  /** nodes that were away or cut off, for however short a time: what is over when they are back is not sent to them */
  readonly missed: Set<number>
  /** nodes that lost what they had: what they had sent on, they may not know any more */
  readonly powerless: Set<number>
  /** nodes that have a newer version: the older one is not taken in any more */
  readonly newer: NodeSets
  readonly tables: SpreadTable[]
  readonly violations: Violations
}

/** Step by step along all chains of nodes that redirect, this says that every chain delivers. */
export const neighboursAreReached = invariant({
  id: 'neighbours-are-reached',
  describe:
    'What a node sends on arrives at all of its neighbours that are there: a connected chain of redirecting nodes delivers.',
  match: ['spread', 'superseded', 'joined', 'restored', 'left', 'crashed', 'cut', 'healed'],
  start: (facts): State => ({
    facts,
    presence: createPresence(facts),
    unsteady: new Set(),
    missed: new Set(),
    powerless: new Set(),
    newer: createNodeSets(facts.nodes),
    tables: [],
    violations: createViolations(),
  }),
  capture({ facts, presence, unsteady, missed, powerless, newer, tables }, event) {
    if (event.event === 'spread') {
      if (event.table.publishedMs < settledBeforeMs(facts)) tables.push(event.table)
    } else if (event.event === 'superseded') newer.add(event.service, event.node)
    else if (event.event === 'restored') {
      if (event.powerCut === true) powerless.add(event.node)
    } else if (event.event === 'healed') {
      if (event.ms < settledBeforeMs(facts)) unsteady.delete(event.node)
    } else {
      if (event.event !== 'cut') presence.capture(event)
      // one that is there from the start may be told to join
      if (event.ms === 0 && event.event === 'joined') return
      missed.add(event.node)
      if (event.event === 'joined' && facts.hasSync && event.ms < settledBeforeMs(facts)) unsteady.delete(event.node)
      else unsteady.add(event.node)
    }
  },
  finish(state) {
    const { facts, tables } = state
    // without all events it is not known who was away
    if (facts.changing && !facts.allEvents) return
    for (const table of tables) {
      for (let node = 0; node < facts.nodes; node++) checkNode(state, table, node)
    }
    tables.length = 0
  },
})

function checkNode(
  { facts, unsteady, missed, powerless, newer, violations }: State,
  table: SpreadTable,
  node: number,
): void {
  const sent = node === table.publisher ? table.reach : (table.emittedDepth[node] ?? NONE)
  if (sent === NONE || unsteady.has(node) || powerless.has(node) || facts.attackerOf(node) !== undefined) return
  const isOver = isRevoked(table, node) || facts.serviceOf(table.service).endsMs <= facts.seconds * 1000
  for (const neighbour of facts.neighboursOf(node)) {
    // one that misbehaves may be refused, and one that surrounds a node tells it nothing
    if (facts.attackerOf(neighbour) !== undefined) continue
    if (unsteady.has(neighbour) || table.firstDepth[neighbour] !== NONE || neighbour === table.publisher) continue
    if (newer.has(table.service, neighbour)) continue
    if (isRevokedSoon(table, node)) continue
    // what is over by now is not sent to those that come later
    if (isRevoked(table, neighbour) || (isOver && (missed.has(node) || missed.has(neighbour)))) continue
    violations.add(
      `service ${table.service} was sent on by node ${node} and never arrived at its neighbour ${neighbour}`,
    )
  }
}

function isRevoked(table: SpreadTable, node: number): boolean {
  return Number.isFinite(table.revokedMs[node] ?? Number.NaN)
}

/** It was still to be decided about, sent on or fetched then. */
function isRevokedSoon(table: SpreadTable, node: number): boolean {
  return (table.revokedMs[node] ?? Number.NaN) < (table.deliveredMs[node] ?? Number.NaN) + UNDER_WAY_MS
}
