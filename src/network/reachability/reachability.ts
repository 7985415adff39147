import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId } from '@libp2p/interface'
import { isLoopback, isPrivate } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import { addressGroup, parsePeerId } from '../host/address.ts'
import type { Host } from '../host/create-host.ts'
import type { Inbound } from '../host/inbound.ts'
import type { TransientBuffers } from '../host/transient-buffers.ts'
import type { NetworkInit } from '../types.ts'
import { isCircuit } from './circuit-address.ts'
import { HOP_PROTOCOL, INBOUND_MEMORY_MS, RESERVE_AFTER_MS } from './constants.ts'
import { directUpgrade } from './direct-upgrade.ts'
import { describeReachability, needsRelay, type ReachabilityFacts } from './reachability-view.ts'
import { createRelayBounds } from './relay-bounds.ts'
import { dropReservations, relayService } from './relay-service.ts'
import { createRelayTransport } from './relay-transport.ts'
import { keepReservations, type Reservations } from './reservations.ts'
import type { ReachabilityHostParts, ReachabilityView } from './types.ts'

export interface ReachabilityComponents {
  clock: Clock
  rng: Rng
  log: Log
  inbound: Inbound
  buffers: TransientBuffers
  /** It misbehaved, or the operator has blocked it. */
  isExcluded(peer: string): boolean
  isStatic(peer: string): boolean
}

/** How this node is reached, and what it relays for others. */
export interface Reachability {
  /** What the host is made of for it. */
  readonly host: ReachabilityHostParts
  /** The host was created. */
  attach(host: Host): Disposable
  view(): ReachabilityView
}

export function createReachability(components: ReachabilityComponents, init: NetworkInit): Reachability {
  const { clock, rng, log, isExcluded, isStatic } = components
  const { listen = [], announce = [], visibility, relay, reserveAfterMs = RESERVE_AFTER_MS } = init
  const transport = createRelayTransport(components.inbound, components.buffers)
  const bounds = createRelayBounds(
    { clock, reservedFrom, addressOf, isExcluded },
    { perAddress: visibility === 'public' },
  )
  // a node that relays for others is one that can be dialled
  const mayNeedRelay = relay === undefined && listen.length > 0 && announce.length === 0
  let host: Host | undefined
  let attachedAt = Number.POSITIVE_INFINITY
  let inboundUntil = Number.NEGATIVE_INFINITY
  let reservations: Reservations | undefined

  const service = (): CircuitRelayService | undefined => host?.services.relay
  const isOutside = ({ direction, remoteAddr }: Connection) =>
    direction === 'inbound' &&
    !isCircuit(remoteAddr) &&
    !isLoopback(remoteAddr) &&
    (visibility === 'private' || !isPrivate(remoteAddr))
  const staticNodes = () =>
    (host?.getConnections() ?? [])
      .filter(({ remoteAddr, remotePeer }) => !isCircuit(remoteAddr) && isStatic(remotePeer.toString()))
      .map(({ remotePeer }) => remotePeer.toString())
  const facts = (): ReachabilityFacts => {
    const now = clock.monotonic()
    if (host?.getConnections().some(isOutside)) inboundUntil = now + INBOUND_MEMORY_MS
    return {
      listens: listen.length > 0,
      announced: announce.length > 0,
      inboundSeen: inboundUntil > now,
      relays: transport.relays(),
      offers: reservations?.offers ?? 0,
      staticNodes: new Set(staticNodes()).size,
      refused: reservations?.refused,
      early: now - attachedAt < reserveAfterMs || attachedAt === Number.POSITIVE_INFINITY,
    }
  }

  function reservedFrom(exceptPeer: string): string[] {
    const all = service()?.reservations.entries() ?? []
    return [...all].flatMap(([peer, { addr }]) => (peer.toString() === exceptPeer ? [] : [addressGroup(addr)]))
  }
  function addressOf(peer: string): string | undefined {
    const direct = host?.getConnections(parsePeerId(peer)).find(({ remoteAddr }) => !isCircuit(remoteAddr))
    return direct && addressGroup(direct.remoteAddr)
  }
  async function offers(): Promise<string[]> {
    const known = await Promise.all(
      [...new Set(staticNodes())].map(async (peer) => {
        const stored = await host?.peerStore.get(parsePeerId(peer)).catch(() => undefined)
        return stored?.protocols.includes(HOP_PROTOCOL) === true ? [peer] : []
      }),
    )
    return known.flat()
  }

  return {
    host: {
      transport: transport.create,
      upgrade: directUpgrade(clock),
      ...(relay && { relay: relayService({ clock, bounds }, relay) }),
      gater: {
        denyInboundRelayReservation: (peer) => !bounds.mayReserve(peer.toString()),
        denyOutboundRelayedConnection: (source, destination) =>
          !bounds.mayConnect(source.toString(), destination.toString()),
      },
      // circuits first: where a few addresses only are passed on, these are the ones that work
      announced: (addresses) => {
        const self = host?.peerId.toString()
        const circuits = self === undefined ? [] : transport.circuits()
        return [
          ...circuits.map((circuit) => multiaddr(`${circuit}/p2p/${self}`)),
          ...addresses.filter((address) => !isCircuit(address)),
        ]
      },
    },
    attach(libp2p) {
      host = libp2p
      attachedAt = clock.monotonic()
      const onOpen = ({ detail }: { detail: Connection }) => {
        if (isOutside(detail)) inboundUntil = clock.monotonic() + INBOUND_MEMORY_MS
      }
      using started = new DisposableStack()
      libp2p.addEventListener('connection:open', onOpen)
      started.defer(() => libp2p.removeEventListener('connection:open', onOpen))
      const own = service()
      if (own !== undefined) started.use(dropReservations(libp2p, own))
      if (mayNeedRelay) {
        reservations = started.use(
          keepReservations({
            ...{ clock, rng, log, offers },
            wanted: () => needsRelay(facts()),
            reserved: transport.relays,
            reserve: transport.reserve,
            release: transport.release,
          }),
        )
        started.use(lookAtChanges(libp2p, isStatic, reservations))
      }
      return started.move()
    },
    view() {
      const own = service()
      const view = describeReachability(facts())
      if (own === undefined) return view
      return {
        ...view,
        relaying: { reservations: own.reservations.size, circuits: bounds.circuits, bytes: bounds.bytes },
      }
    },
  }
}

/** A static node came, and said what it does, or went: a relay may be asked, or another one. */
function lookAtChanges(host: Host, isStatic: (peer: string) => boolean, { look }: Reservations): Disposable {
  const onIdentify = ({ detail }: { detail: { readonly peerId: PeerId } }) => {
    if (isStatic(detail.peerId.toString())) void look()
  }
  const onClose = ({ detail }: { detail: Connection }) => {
    if (isStatic(detail.remotePeer.toString())) void look()
  }
  host.addEventListener('peer:identify', onIdentify)
  host.addEventListener('connection:close', onClose)
  return {
    [Symbol.dispose]() {
      host.removeEventListener('peer:identify', onIdentify)
      host.removeEventListener('connection:close', onClose)
    },
  }
}
