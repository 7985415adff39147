import type { LookupAddress } from 'node:dns'
import type { Duplex } from 'node:stream'

/** What may be connected to. A name and the addresses that it leads to are both checked. */
export type EgressPolicy = {
  readonly hosts: readonly EgressHost[]
  /** Addresses and CIDR ranges that may be reached although they are not public: private, loopback or link-local ones. */
  readonly addresses: readonly string[]
  /** Every public name may be reached at these ports, too: of a package index, whose metadata names where its files are. */
  readonly publicPorts?: readonly number[] | 'any' | undefined
  /** What a name that may be reached may lead to although it is not public: addresses, each at one port. */
  readonly privateTargets?: readonly { readonly address: string; readonly port: number }[] | undefined
}

/** A name in lower case, or an address as text; with `*.` before it, what is below the name alone. */
export type EgressHost = {
  readonly host: string
  /** also what ends in it at a dot */
  readonly subdomains: boolean
  /** undefined: every port */
  readonly port?: number | undefined
  /** it may lead to an address that is not public: the operator named this very host */
  readonly privateAllowed?: boolean | undefined
}

/** One connection that was asked for, and what became of it; or one that was allowed, and is cut. `reason` is one sentence. */
export type EgressDecision = {
  readonly host: string
  readonly port: number
  readonly allowed: boolean
  readonly address?: string | undefined
  readonly reason?: string | undefined
}

export type ConnectOptions = { readonly signal?: AbortSignal | undefined }

/** The one way out of a confined process. */
export interface Egress {
  /** A TCP connection to an address that was checked. Throws EgressRefusedError or UnavailableError. */
  connect(host: string, port: number, options?: ConnectOptions): Promise<Duplex>
  /** The policy is another: ends the connections that it does not allow. */
  revise(): void
}

export type EgressComponents = {
  /** Resolves a name as the machine does. */
  readonly lookup: (host: string) => Promise<LookupAddress[]>
  readonly open: (address: string, port: number, options: ConnectOptions) => Promise<Duplex>
  /**
   * Addresses and ranges of this machine and of its network, whose router protects them from others. They are no more public
   * than private ones, whatever their numbers.
   */
  readonly ownNetworks?: (() => readonly string[]) | undefined
}

export type EgressInit = {
  /** Where it may change: what answers it for each connection, and for `revise`. */
  readonly policy: EgressPolicy | (() => EgressPolicy)
  readonly onDecision?: ((decision: EgressDecision) => void) | undefined
  /** The setting that lists the addresses of `policy`, for those who read why one is refused. */
  readonly listedIn?: string | undefined
}
