import type { SimEvent } from '../events.ts'
import { createNodeSets } from './node-sets.ts'
import type { RunFacts } from './types.ts'

/** Which nodes run which services. What a node runs is over when it is gone. */
export interface Running {
  capture(event: Extract<SimEvent, { readonly event: (typeof RUNNING_EVENTS)[number] }>): void
  has(service: number, node: number): boolean
  count(service: number): number
  /** so many at a node */
  at(node: number): number
  total(): number
}

export const RUNNING_EVENTS = ['run', 'left', 'crashed'] as const

export function createRunning({ nodes }: RunFacts): Running {
  const sets = createNodeSets(nodes)
  const services = new Map<number, Set<number>>()
  let total = 0
  const end = (service: number, node: number) => {
    if (!sets.has(service, node)) return
    sets.delete(service, node)
    services.get(node)?.delete(service)
    total--
  }
  return {
    capture(event) {
      if (event.event !== 'run') {
        for (const service of services.get(event.node) ?? []) end(service, event.node)
      } else if (event.state === 'running') {
        if (!sets.add(event.service, event.node)) return
        total++
        const own = services.get(event.node)
        if (own === undefined) services.set(event.node, new Set([event.service]))
        else own.add(event.service)
      } else if (event.state !== 'claimed') end(event.service, event.node)
    },
    has: sets.has,
    count: sets.size,
    at: (node) => services.get(node)?.size ?? 0,
    total: () => total,
  }
}
