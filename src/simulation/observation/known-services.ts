import type { SimEvent } from '../events.ts'
import { createNodeSets } from './node-sets.ts'
import type { RunFacts } from './types.ts'

/** What each node has taken in and still must know. */
export interface KnownServices {
  /** Answers what a node that is there again must know and does not. What is missing is not asked for again. */
  capture(event: Extract<SimEvent, { readonly event: (typeof KNOWN_EVENTS)[number] }>): readonly number[]
  isOver(service: number, node: number, ms: number): boolean
}

export const KNOWN_EVENTS = ['delivered', 'revoked', 'superseded', 'restored'] as const

export function createKnownServices(facts: RunFacts): KnownServices {
  const known = new Map<number, Set<number>>()
  const over = createNodeSets(facts.nodes)
  const isOver: KnownServices['isOver'] = (service, node, ms) =>
    over.has(service, node) || facts.serviceOf(service).endsMs <= ms
  return {
    isOver,
    capture(event) {
      const { node, ms } = event
      if (event.event === 'revoked' || event.event === 'superseded') {
        over.add(event.service, node)
        return []
      }
      const services = known.get(node) ?? new Set()
      known.set(node, services)
      if (event.event === 'delivered') {
        services.add(event.service)
        return []
      }
      const missing = [...services].filter((service) => !event.services.includes(service))
      for (const service of missing) services.delete(service)
      return missing.filter((service) => !isOver(service, node, ms))
    },
  }
}
