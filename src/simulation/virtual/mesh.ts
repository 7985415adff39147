import { MESH } from '../../network/constants.ts'
import { hash32, seedWord } from '../plan/random.ts'
import { CONTROL_BYTES, HEARTBEAT_MS, TICKS_PER_MS } from './constants.ts'
import { KIND, packEvent } from './messages.ts'
import type { Transmission } from './transmission.ts'
import { isOnline, reverseOf, type World } from './world.ts'

/** Whom each node sends to at once, as gossipsub chooses it. `link` is one of the node's own. */
export interface Mesh {
  /** of each link: 1 = the node that it leads from sends to the other */
  readonly member: Uint8Array
  readonly size: Uint8Array
  /** The next heartbeat of this node, in ticks. */
  nextHeartbeat(node: number): number
  /** Something changed around this node: its next heartbeat looks at the mesh. */
  touch(node: number): void
  onHeartbeat(node: number): void
  /** The other end has put this node into its mesh, or taken it out. */
  onGraft(node: number, link: number): void
  onPrune(node: number, link: number): void
  /** The connection is gone. */
  leave(node: number, link: number): void
}

const HEARTBEAT_TICKS = HEARTBEAT_MS * TICKS_PER_MS

export function createMesh(world: World, transmission: Transmission): Mesh {
  const { plan, graph, connected, calendar, slots } = world
  const { offsets, neighbours, nodes } = graph
  const word = seedWord(`${plan.scenario.seed}/mesh`)
  const member = new Uint8Array(neighbours.length)
  const size = new Uint8Array(nodes)
  const touched = new Uint8Array(nodes)

  function add(node: number, link: number): void {
    if (member[link] === 1) return
    member[link] = 1
    size[node] = (size[node] as number) + 1
  }
  function remove(node: number, link: number): void {
    if (member[link] === 0) return
    member[link] = 0
    size[node] = (size[node] as number) - 1
  }

  /** Links of a node to those outside its mesh, in an order of chance. */
  function candidates(node: number, end: number, salt: number): number[] {
    const links: number[] = []
    for (let link = offsets[node] as number; link < end; link++)
      if (member[link] === 0 && connected[link] === 1) links.push(link)
    const rank = (link: number) => hash32(word ^ salt, node, neighbours[link] as number)
    return links.length < 2 ? links : links.sort((a, b) => rank(a) - rank(b))
  }

  /** The nodes have started one after the other, each connected to neighbours that were there; heartbeats came between. */
  function begin(): void {
    // nobody has more neighbours than a mesh wants
    if (slots <= MESH.want) {
      member.fill(1)
      for (let node = 0; node < nodes; node++) size[node] = (offsets[node + 1] as number) - (offsets[node] as number)
      return
    }
    for (let node = 0; node < nodes; node++) {
      let end = offsets[node] as number
      while (end < (offsets[node + 1] as number) && (neighbours[end] as number) < node) end++
      if (end === offsets[node]) continue
      const earlier = candidates(node, end, 0)
      for (const link of earlier) {
        const other = neighbours[link] as number
        const wanted = (size[node] as number) < MESH.want || (size[other] as number) < MESH.low
        if (!wanted || (size[other] as number) >= MESH.high) continue
        add(node, link)
        add(other, reverseOf(world, link))
      }
    }
  }

  function nextHeartbeat(node: number): number {
    const phase = hash32(word, node, 7) % HEARTBEAT_TICKS
    return Math.floor((world.tick - phase) / HEARTBEAT_TICKS + 1) * HEARTBEAT_TICKS + phase
  }

  const control = (node: number, link: number, kind: typeof KIND.graft | typeof KIND.prune) =>
    transmission.send(node, link, 0, 0, kind, CONTROL_BYTES)

  begin()
  return {
    member,
    size,
    nextHeartbeat,
    touch(node) {
      if (touched[node] === 1) return
      touched[node] = 1
      calendar.add(nextHeartbeat(node), packEvent(node * slots, 0, 0, KIND.heartbeat))
    },
    onHeartbeat(node) {
      touched[node] = 0
      if (!isOnline(world, node) || (size[node] as number) >= MESH.low) return
      for (const link of candidates(node, offsets[node + 1] as number, world.tick)) {
        if ((size[node] as number) >= MESH.want) break
        add(node, link)
        control(node, link, KIND.graft)
      }
    },
    onGraft(node, link) {
      if (member[link] === 1) return
      if ((size[node] as number) >= MESH.high || connected[link] === 0) control(node, link, KIND.prune)
      else add(node, link)
    },
    onPrune(node, link) {
      remove(node, link)
      this.touch(node)
    },
    leave: remove,
  }
}
