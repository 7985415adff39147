import { type Announcement, isSeen } from './announcement.ts'
import { CONTROL_BYTES, FRAME_BYTES, HEARTBEAT_MS, HISTORY_GOSSIP, OFFER_TRIPS, TICKS_PER_MS } from './constants.ts'
import type { Mesh } from './mesh.ts'
import { KIND, packEvent } from './messages.ts'
import type { Transmission } from './transmission.ts'
import { isOnline, type World } from './world.ts'

/** How announcements leave a node. `link` is one of the node's own. */
export interface Gossip {
  /** To the mesh but not back over `source`, the link by which it came; -1 = from this node. */
  forward(announcement: Announcement, node: number, depth: number, source: number): void
  /** To every neighbour. */
  flood(announcement: Announcement, node: number, depth: number): void
  /** Over streams, to every neighbour. */
  offer(announcement: Announcement, node: number, depth: number): void
  /** At a heartbeat: ids for the neighbours outside the mesh. */
  onGossip(announcement: Announcement, node: number, depth: number): void
  onIHave(announcement: Announcement, node: number, link: number, depth: number): void
  onIWant(announcement: Announcement, node: number, link: number, depth: number): void
}

export function createGossip(world: World, mesh: Mesh, transmission: Transmission): Gossip {
  const { graph, connected, calendar, slots } = world
  const { offsets } = graph
  const { send } = transmission

  /** gossipsub keeps what it sent, and advertises it at the next heartbeats. */
  function keep({ index }: Announcement, node: number, depth: number): void {
    if ((mesh.size[node] as number) >= (offsets[node + 1] as number) - (offsets[node] as number)) return
    const heartbeat = mesh.nextHeartbeat(node)
    for (let round = 0; round < HISTORY_GOSSIP; round++)
      calendar.add(heartbeat + round * HEARTBEAT_MS * TICKS_PER_MS, packEvent(node * slots, index, depth, KIND.gossip))
  }

  return {
    forward(announcement, node, depth, source) {
      const bytes = announcement.bytes + FRAME_BYTES
      for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++)
        if (mesh.member[link] === 1 && link !== source) send(node, link, announcement.index, depth, KIND.message, bytes)
      keep(announcement, node, depth)
    },
    flood(announcement, node, depth) {
      const bytes = announcement.bytes + FRAME_BYTES
      for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++)
        if (connected[link] === 1) send(node, link, announcement.index, depth, KIND.message, bytes)
    },
    offer(announcement, node, depth) {
      for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++)
        if (connected[link] === 1) send(node, link, announcement.index, depth, KIND.offer, CONTROL_BYTES, OFFER_TRIPS)
    },
    onGossip(announcement, node, depth) {
      if (!isOnline(world, node)) return
      for (let link = offsets[node] as number; link < (offsets[node + 1] as number); link++)
        if (mesh.member[link] === 0 && connected[link] === 1)
          send(node, link, announcement.index, depth, KIND.ihave, CONTROL_BYTES)
    },
    onIHave(announcement, node, link, depth) {
      if (isSeen(announcement.cells, node, depth)) return
      send(node, link, announcement.index, depth, KIND.iwant, CONTROL_BYTES)
    },
    onIWant(announcement, node, link, depth) {
      send(node, link, announcement.index, depth, KIND.message, announcement.bytes + FRAME_BYTES)
    },
  }
}
