import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Disk } from '../../base/os/disk.ts'
import type { Rng } from '../../base/rng.ts'
import type { EgressComponents } from '../../egress/index.ts'
import type { RunJournal } from '../journal.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Executor, Plan } from '../types.ts'
import type { UserIds } from '../user-ids.ts'
import type { BuildNetwork } from './build-network.ts'

export type BuildsComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly journal: Pick<RunJournal, 'unfinished'>
  /** default: that of this machine */
  readonly disk?: Disk | undefined
  /** How the hosts that builds reach are resolved and connected to. */
  readonly internet: EgressComponents
  /** Absent where the node is not root: its builds share a user. */
  readonly userIds?: UserIds | undefined
}

export type BuildsInit = {
  /** Belongs to these builds alone: what else is in there is removed. */
  readonly dir: string
  /** What outputs may take on the disk; what runs use stays, also above that. */
  readonly maxBytes: number
  /** One that takes longer is ended. */
  readonly timeoutMs: number
  /** The network of a build for a service of this author, as the policy in force says it. */
  readonly network: (author: string) => BuildNetwork
  readonly logs: LogLimits
}

export type BuildRequest = {
  /** the run that will use it */
  readonly runId: string
  readonly executor: Executor
  /** how it is built; where, is decided here */
  readonly plan: Plan
  /** CID of the code, and where it lies unpacked */
  readonly code: string
  readonly codeDir: string
  readonly signal: AbortSignal
  /** A line for the log of the run. */
  readonly note: (line: string) => void
}

/** `built`: now, for this run. `shared`: now, for another run. `cached`: before. `held`: this run has used it before. */
export type ObtainedBuild = { readonly dir: string; readonly origin: 'built' | 'shared' | 'cached' | 'held' }

/** What builds made, once for all services that build the same, and kept for later ones. */
export interface Builds extends AsyncDisposable {
  /** Finds what an earlier node has left, and removes what is none. Done by the first `obtain` at the latest. */
  open(): Promise<void>
  /**
   * The folder of the built code: world-readable, and no run may change it. The run uses it until `release`, also after a
   * restart. Throws a BuildFailedError; for some minutes the same build then fails at once.
   */
  obtain(request: BuildRequest): Promise<ObtainedBuild>
  release(runId: string): Promise<void>
  /** The policy is another: connections of builds that it does not allow are cut. */
  reviseNetworks(): void
  /** Is this the id of a build that is under way? */
  isBuilding(buildId: string): boolean
}
