import { settledBeforeMs } from '../observation/settled.ts'
import { invariant, type RunFacts, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

/** So long ago a run or a connection began that every node has had time to ask about it. */
const KNOWN_MS = 20_000

type State = {
  readonly facts: RunFacts
  /** by service and node: since when it runs there */
  readonly since: Map<number, Map<number, number>>
  /** by node: since when it is there and connected; infinite: it is away or cut off */
  readonly connected: Map<number, number>
  /** newer versions: they take the place of a run that is there */
  readonly newer: Set<number>
  /** nodes that go on with what ran before they were started again */
  readonly resumed: Map<number, number>
  readonly violations: Violations
}

export const noSurplusStart = invariant({
  id: 'no-surplus-start',
  describe:
    'A node that is connected starts no service of which as many runs as it asks for are known at its neighbours for a while.',
  match: ['run', 'superseded', 'restored', 'joined', 'left', 'crashed', 'cut', 'healed'],
  start: (facts): State => ({
    ...{ facts, since: new Map(), connected: new Map(), newer: new Set(), resumed: new Map() },
    violations: createViolations(),
  }),
  capture(state, event) {
    const { since, connected, newer, resumed } = state
    const { node, ms } = event
    switch (event.event) {
      case 'superseded':
        newer.add(event.by)
        break
      case 'restored':
        if (event.powerCut !== true) resumed.set(node, ms)
        break
      case 'run': {
        const nodes = since.get(event.service) ?? new Map<number, number>()
        since.set(event.service, nodes)
        if (event.state === 'running' && !nodes.has(node)) {
          if (resumed.get(node) !== ms) check(state, event.service, node, ms)
          nodes.set(node, ms)
        } else if (event.state !== 'running' && event.state !== 'claimed') nodes.delete(node)
        break
      }
      default:
        connected.set(node, event.event === 'joined' || event.event === 'healed' ? ms : Number.POSITIVE_INFINITY)
        if (event.event === 'left' || event.event === 'crashed') for (const nodes of since.values()) nodes.delete(node)
    }
  },
})

function check({ facts, since, connected, newer, violations }: State, service: number, node: number, ms: number): void {
  const { kind, replicas } = facts.serviceOf(service)
  if (kind === 'task' || replicas === 0 || newer.has(service) || ms > settledBeforeMs(facts)) return
  if (!Number.isFinite(connected.get(node) ?? 0)) return
  const nodes = since.get(service) ?? new Map<number, number>()
  const known = [...new Set(facts.neighboursOf(node))].filter((other) => {
    const from = Math.max(nodes.get(other) ?? Number.POSITIVE_INFINITY, connected.get(other) ?? 0)
    return other !== node && facts.attackerOf(other) === undefined && from + KNOWN_MS <= ms
  })
  if (known.length >= replicas)
    violations.add(
      `node ${node} started service ${service} after ${ms} ms, of which it knew ${known.length} runs; it asks for ${replicas}`,
    )
}
