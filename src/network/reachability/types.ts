import type {
  CircuitRelayServerComponents,
  CircuitRelayService,
  CircuitRelayTransportComponents,
} from '@libp2p/circuit-relay-v2'
import type { DCUtRServiceComponents } from '@libp2p/dcutr'
import type { ConnectionGater, Transport } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/** What a node relays for others: all numbers are bounds. */
export type RelayInit = {
  /** peers that can be reached through this node at a time */
  readonly reservations: number
  /** of one circuit, both ways together; then it ends */
  readonly bytes: number
  /** for which one circuit lasts; then it ends */
  readonly seconds: number
  /** bytes per second of all circuits together */
  readonly rate: number
}

export type Relaying = {
  readonly reservations: number
  readonly circuits: number
  /** received to be relayed, since the node started */
  readonly bytes: number
}

/** How this node can be reached, as it knows it now. */
export type ReachabilityView = {
  /**
   * direct: by dialling one of its addresses; relayed: through another node; none: not from outside, as far as it knows;
   * unknown: it is too early to say
   */
  readonly state: 'direct' | 'relayed' | 'none' | 'unknown'
  /** one sentence */
  readonly because: string
  /** what the operator can do about it, one sentence */
  readonly advice?: string | undefined
  /** peer ids of the nodes that relay for this one */
  readonly relays: readonly string[]
  /** what this node relays now; undefined where it relays nothing */
  readonly relaying?: Relaying | undefined
}

/** What a host is made of that relays, or is relayed. */
export type ReachabilityHostParts = {
  transport(components: CircuitRelayTransportComponents): Transport
  /** undefined where this node relays nothing */
  readonly relay?: ((components: CircuitRelayServerComponents) => CircuitRelayService) | undefined
  upgrade(components: DCUtRServiceComponents): unknown
  readonly gater: Pick<ConnectionGater, 'denyInboundRelayReservation' | 'denyOutboundRelayedConnection'>
  /** Of all addresses, those that are announced. */
  announced(addresses: Multiaddr[]): Multiaddr[]
}
