import type { Duplex } from 'node:stream'

/** Another node that claims a run of the same service. `accepted`: its run is not healthy yet. A claim is no proof of a run. */
export type Sibling = { readonly peer: string; readonly state: 'running' | 'accepted' }

/** The other runs of a service, as far as this node knows them. */
export interface Siblings {
  /** this node's peer id */
  readonly self: string
  /** Those that claim a run now, the nearest first, as many as a run gets. */
  list(service: string): readonly Sibling[]
  /** A tunnel to a port of a sibling, by the port's name. Throws NotFoundError or UnavailableError. */
  connect(service: string, peer: string, port: string, options: { signal?: AbortSignal | undefined }): Promise<Duplex>
}

/** Where a run finds its siblings, in its own network. */
export type SiblingPorts = {
  /** of 127.0.0.1: the list, over HTTP */
  readonly list: number
  /** the names of the service's ports for siblings; each of them, of every sibling's address, is at `port` */
  readonly ports: readonly { readonly name: string; readonly port: number }[]
}
