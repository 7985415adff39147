import type { Link } from '../network/types.ts'
import type { Plan } from '../plan/plan.ts'

/** Of a node, on the wire of a simulation. */
export function hostOf(node: number): string {
  return `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`
}

/** Between two hosts, always the same. */
export function linksOf({ scenario, latencyMs }: Plan): (from: string, to: string) => Link {
  const bytesPerMs = scenario.links.bytesPerSecond / 1000
  const indexOf = (host: string) => {
    const [, high = 0, middle = 0, low = 0] = host.split('.').map(Number)
    return (high << 16) | (middle << 8) | low
  }
  return (from, to) => ({ latencyMs: latencyMs(indexOf(from), indexOf(to)), bytesPerMs })
}
