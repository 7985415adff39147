import { hash32, seedWord } from '../plan/random.ts'
import type { Connections } from './connections.ts'
import { FRAME_BYTES, TICKS_PER_MS } from './constants.ts'
import { KIND, packEvent } from './messages.ts'
import type { Stage } from './stage.ts'
import { isOnline, msOf } from './world.ts'

/** What attackers do beside what they leave out. `link` is one of the node's own. */
export interface Attackers {
  /** Those with this index in the scenario begin. */
  begin(attacker: number): void
  /** It is time for a node to send. */
  onSpam(node: number): void
  onGarbage(node: number, link: number): void
}

/** As long as an announcement, with a signature that is wrong. */
const GARBAGE_BYTES = 700 + FRAME_BYTES

export function createAttackers({ world, transmission, scoring }: Stage, connections: Connections): Attackers {
  const { plan, graph, calendar, connected, conduct, recorder, traffic, slots } = world
  const { offsets, neighbours } = graph
  const word = seedWord(`${plan.scenario.seed}/attackers`)

  function again(node: number, ms: number): void {
    calendar.add(world.tick + Math.max(1, Math.round(ms * TICKS_PER_MS)), packEvent(node * slots, 0, 0, KIND.spam))
  }

  return {
    begin(attacker) {
      for (const node of conduct.begin(attacker)) {
        if (conduct.of(node) !== 'spam' || conduct.perSecond(node) === 0) continue
        // they do not all send at the same moment
        const everyMs = 1000 / conduct.perSecond(node)
        again(node, (hash32(word, node, attacker) / 2 ** 32) * everyMs)
      }
    },
    onSpam(node) {
      again(node, 1000 / conduct.perSecond(node))
      if (!isOnline(world, node)) return
      for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++)
        if (connected[link] === 1) transmission.send(node, link, 0, 0, KIND.garbage, GARBAGE_BYTES)
    },
    onGarbage(node, link) {
      // it was on its way when the connection ended
      if (connected[link] === 0) return
      traffic.receivedBytes[node] = (traffic.receivedBytes[node] as number) + GARBAGE_BYTES
      const ms = msOf(world)
      const from = neighbours[link] as number
      if (recorder.record('rejected', ms, node, from, 0, 0)) recorder.give({ ms, node, event: 'rejected', from })
      const forMs = scoring.reject(node, link)
      if (forMs === 0) return
      if (recorder.record('graylisted', ms, node, from, 0, 0))
        recorder.give({ ms, node, event: 'graylisted', peer: from })
      connections.refuse(node, link, forMs)
    },
  }
}
