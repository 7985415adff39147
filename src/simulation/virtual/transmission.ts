import { hashFraction, seedWord } from '../plan/random.ts'
import { RETRANSMIT_MS, TICKS_PER_MS } from './constants.ts'
import { type Kind, packEvent } from './messages.ts'
import type { World } from './world.ts'

/** What goes over links. `link` is one of the node's own. */
export interface Transmission {
  /** `trips`: one-way ways until it has arrived; a stream has to be agreed on first. */
  send(node: number, link: number, announcement: number, depth: number, kind: Kind, bytes: number, trips?: number): void
  latencyTicks(node: number, link: number): number
}

/** A message that is lost more often in a row has arrived by then, or its connection is gone. */
const MAX_LOSSES = 6

export function createTransmission(world: World): Transmission {
  const { plan, graph, ends, calendar, traffic, conduct } = world
  const { scenario, latencyMs } = plan
  const { jitterMs, bytesPerSecond, loss, drop } = scenario.links
  const ticksPerByte = (1000 * TICKS_PER_MS) / bytesPerSecond
  const word = seedWord(`${scenario.seed}/links`)
  const [jitterTicks, retransmitTicks] = [jitterMs * TICKS_PER_MS, RETRANSMIT_MS * TICKS_PER_MS]
  const certain = jitterMs === 0 && loss === 0 && drop === 0
  const surrounded = scenario.attackers.some(({ kind }) => kind === 'eclipse')
  /** when the last byte that a node sent has left it */
  const leftAt = new Float64Array(graph.nodes)
  const { sentBytes } = traffic

  const latencyTicks = (node: number, link: number) => latencyMs(node, graph.neighbours[link] as number) * TICKS_PER_MS

  /** Chance follows from what is sent, where and when: not from the order in which it is drawn. */
  function misfortune(link: number, event: number): number {
    const salt = word ^ Math.imul(world.tick, 0x27d4_eb2d)
    const what = event | 0
    if (drop > 0 && hashFraction(salt, link, what) < drop) return Number.POSITIVE_INFINITY
    let ticks = jitterTicks === 0 ? 0 : hashFraction(salt ^ 1, link, what) * jitterTicks
    for (let losses = 0; losses < MAX_LOSSES && hashFraction(salt ^ (2 + losses), link, what) < loss; losses++)
      ticks += retransmitTicks * 2 ** losses
    return ticks
  }

  return {
    latencyTicks,
    send(node, link, announcement, depth, kind, bytes, trips = 1) {
      if (surrounded && conduct.hides(node, graph.neighbours[link] as number)) return
      const left = Math.max(world.tick, leftAt[node] as number) + bytes * ticksPerByte
      leftAt[node] = left
      sentBytes[node] = (sentBytes[node] as number) + bytes
      let at = left + trips * latencyTicks(node, link)
      if (!certain) {
        at += misfortune(link, (announcement << 8) | (depth << 4) | kind)
        if (at === Number.POSITIVE_INFINITY) return
      }
      // nothing arrives at the time at which it is sent
      calendar.add(Math.max(world.tick + 1, Math.round(at)), packEvent(ends[link] as number, announcement, depth, kind))
    },
  }
}
