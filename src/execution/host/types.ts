import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { UserIds } from '../user-ids.ts'

export type HostExecutorComponents = {
  readonly clock: Clock
  readonly log: Log
  /** Where runs have users of their own. Without it, nothing is kept warm: each start is cold. */
  readonly userIds?: UserIds | undefined
}

export type HostExecutorInit = {
  /** This node's name among the nodes of one machine: letters, digits and dashes. */
  readonly nodeId: string
  /** The node's own address, base58: whose services may run without bubblewrap. */
  readonly ownAddress: string
  /** Folder for the state of runs; survives the node. */
  readonly runsDir: string
  /** Folder for sockets, at most MAX_RUNTIME_DIR_BYTES long; private to the node. */
  readonly runtimeDir: string
  readonly logs: LogLimits
  /** The bubblewrap program; default "bwrap". */
  readonly bubblewrap?: string
  /** `auto`: without bubblewrap, Node's permission model. `bubblewrap`: without it, nothing. Default `auto`. */
  readonly sandbox?: 'auto' | 'bubblewrap'
  /** The Node.js that services run with; default: the one that runs the node. */
  readonly node?: string
  /** Toolchain -> its program, by canonical name: `{ python: 'python3' }`. Their versions are part of what builds. */
  readonly programs?: Readonly<Record<string, string>>
  /** Control groups: use what can be written, or none. Default true. */
  readonly cgroups?: boolean
}
