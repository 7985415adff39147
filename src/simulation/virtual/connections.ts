import { hashFraction, seedWord } from '../plan/random.ts'
import { CONNECT_TRIPS, CUT_NOTICED_MS, REDIAL_MAX_MS, SYNC_TRIPS, TICKS_PER_MS } from './constants.ts'
import { KIND, packEvent } from './messages.ts'
import type { Stage } from './stage.ts'
import { isOnline, isOpen, msOf, OFFLINE, reverseOf, type World } from './world.ts'

/** Nodes that come and go, and cuts through the mesh. */
export interface Connections {
  leave(nodes: Int32Array, crash: boolean): void
  join(nodes: Int32Array): void
  /** These reach nobody outside of them any more. */
  cut(nodes: Int32Array): void
  /** These, or all, reach everybody again. */
  heal(nodes: Int32Array | undefined): void
  /** This node ends the connection, and takes no other one for so long. */
  refuse(node: number, link: number, forMs: number): void
  onConnected(node: number, link: number): void
  onDisconnected(node: number, link: number): void
  /** The lists of two neighbours that are connected again are there. */
  onSync(node: number, link: number): void
}

const LIST_BYTES = 1000

export function createConnections(stage: Stage): Connections {
  const { world, mesh, intake, runs, transmission, scoring, announcements } = stage
  const { plan, graph, part, connected, calendar, slots } = world
  const { offsets, neighbours } = graph
  const word = seedWord(`${plan.scenario.seed}/connections`)

  function later(node: number, link: number, ms: number, kind: typeof KIND.connected | typeof KIND.disconnected): void {
    const ticks = Math.max(1, Math.round(ms * TICKS_PER_MS))
    calendar.add(world.tick + ticks, packEvent(node * slots + link - (offsets[node] as number), 0, 0, kind))
  }
  const latencyMs = (node: number, link: number) => transmission.latencyTicks(node, link) / TICKS_PER_MS

  function eachLink(node: number, act: (link: number) => void): void {
    for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++) act(link)
  }

  function disconnect(node: number, link: number): void {
    const [other, back] = [neighbours[link] as number, reverseOf(world, link)]
    connected[link] = 0
    connected[back] = 0
    mesh.leave(node, link)
    mesh.leave(other, back)
    mesh.touch(node)
    mesh.touch(other)
  }

  /** Soon, or after the longest wait between two attempts. */
  const redialMs = (node: number, link: number) =>
    hashFraction(word ^ world.tick, node, neighbours[link] as number) * REDIAL_MAX_MS +
    CONNECT_TRIPS * latencyMs(node, link)

  return {
    leave(nodes, crash) {
      for (const node of nodes) {
        if (!isOnline(world, node)) continue
        part[node] = OFFLINE
        say(world, node, crash ? 'crashed' : 'left')
        runs.endAll(node, announcements)
        // the kernel closes the connections of a process that is gone, too
        eachLink(node, (link) => later(node, link, latencyMs(node, link), KIND.disconnected))
      }
    },
    join(nodes) {
      for (const node of nodes) {
        if (isOnline(world, node)) continue
        part[node] = 0
        say(world, node, 'joined')
        stage.decideLeftOver(node)
        eachLink(node, (link) => later(node, link, CONNECT_TRIPS * latencyMs(node, link), KIND.connected))
      }
    },
    cut(nodes) {
      world.cuts++
      const cut = 1 + (world.cuts % (OFFLINE - 1))
      // one that is down comes back on the side of the others
      const cutOff = nodes.filter((node) => isOnline(world, node))
      for (const node of cutOff) {
        part[node] = cut
        say(world, node, 'cut')
      }
      for (const node of cutOff)
        eachLink(node, (link) => {
          if (!isOpen(world, node, link)) later(node, link, CUT_NOTICED_MS, KIND.disconnected)
        })
    },
    heal(nodes) {
      const cutOff = (nodes ?? Int32Array.from(part.keys())).filter((node) => part[node] !== 0 && isOnline(world, node))
      for (const node of cutOff) {
        part[node] = 0
        say(world, node, 'healed')
      }
      // neighbours dial one another again, some soon and some after their longest wait
      for (const node of cutOff) eachLink(node, (link) => later(node, link, redialMs(node, link), KIND.connected))
    },
    refuse(node, link, forMs) {
      disconnect(node, link)
      later(node, link, forMs + redialMs(node, link), KIND.connected)
    },
    onConnected(node, link) {
      const [other, back] = [neighbours[link] as number, reverseOf(world, link)]
      if (!isOpen(world, node, link) || scoring.leftMs(node, link) > 0 || scoring.leftMs(other, back) > 0) return
      connected[link] = 1
      connected[back] = 1
      mesh.touch(node)
      mesh.touch(other)
      transmission.send(node, link, 0, 0, KIND.sync, LIST_BYTES, SYNC_TRIPS)
      transmission.send(other, back, 0, 0, KIND.sync, LIST_BYTES, SYNC_TRIPS)
    },
    onDisconnected(node, link) {
      if (!isOpen(world, node, link)) disconnect(node, link)
    },
    onSync(node, link) {
      for (const of of announcements) intake.onList(of, node, link)
    },
  }
}

function say(world: World, node: number, event: 'joined' | 'left' | 'crashed' | 'cut' | 'healed'): void {
  const ms = msOf(world)
  if (world.recorder.record(event, ms, node, 0, 0, 0)) world.recorder.give({ ms, node, event })
}
