import type { Engine } from '../types.ts'

const TEXTS: Readonly<Record<Engine['depth'], string>> = {
  model:
    'The virtual engine calls the forwarding rules and the policies of the node itself, but gossip, links, disks and programs are models. It has no cryptography, no TCP (a lost message costs a later one and no window), no queue inside a node beside its link, no event loop that lags, and no DHT but the lookups that it counts. Absolute times are those of the links that the scenario names: they say how variants compare, not how fast a machine is.',
  network:
    'Whole nodes with a simulated network: gossip, links, disks and programs are models; rules, policies, trust, journal and placement are the ones of a node. No cryptography of connections, no TCP, and no event loop that lags.',
  libp2p:
    'Whole nodes with libp2p, noise, yamux and gossipsub over simulated links, disks and programs. Time passes only when a timer fires: no code of a node takes any, so an overloaded machine is not seen. Loss makes what is sent later, as TCP does; links lose nothing for good.',
  live: 'Whole nodes over TCP of one machine. Several share a process and its event loop, and all share the processors: what they and other programs do is part of the figures, and no seed repeats them. What runs is a function in the process of its node.',
}

export function leftOut(depth: Engine['depth']): string {
  return TEXTS[depth]
}
