import { dispositionOf } from '../../admission/disposition.ts'
import type { ThundercloudNode } from '../../node/index.ts'
import type { SimEvent } from '../events.ts'
import type { ServiceNumbers } from './service-numbers.ts'

/** What of a node a last look at it needs. */
type Looked = Pick<ThundercloudNode, 'services' | 'explain'>
type Outdated = Extract<SimEvent, { readonly event: 'outdated' }>

/** States of what the node decides nothing more about. */
const OVER: ReadonlySet<string> = new Set(['published', 'stopped', 'expired', 'done', 'failed'])

/** Asks the node's runner once more about all that is live there, and answers where it says something else than what is in force. */
export async function outdatedIn(
  node: Looked,
  numberOf: ServiceNumbers['numberOf'],
): Promise<Omit<Outdated, 'ms' | 'node'>[]> {
  const outdated: Omit<Outdated, 'ms' | 'node'>[] = []
  for (const view of node.services()) {
    const service = numberOf(view.id)
    if (service === undefined || view.supersededBy !== undefined || OVER.has(view.state)) continue
    const last = await node.explain(view.id)
    // others go first: it stands by, or has no place to wait in, though its runner would run it
    const standsBy = last.verdict.reasons.some(({ rule }) => rule === 'replicas')
    const inForce = last.from === 'now' ? 'undecided' : standsBy ? 'run' : dispositionOf(last.verdict)
    const now = last.from === 'now' ? last : await node.explain(view.id, { now: true })
    const would = dispositionOf(now.verdict)
    if (inForce !== would) outdated.push({ event: 'outdated', service, inForce, now: would })
  }
  return outdated
}
