import type { Clock } from '../../base/clock.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Disk } from '../../base/os/disk.ts'
import type { Backoff } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import type { LogLine, RunRecord } from '../../base/run-record.ts'
import type { BytePipe } from '../../base/stream.ts'
import type { Grant } from '../../base/verdict.ts'
import type { RunnerConfig } from '../../config/index.ts'
import type { EgressComponents } from '../../egress/index.ts'
import type { BuildsInit } from '../builds/types.ts'
import type { ExecutionEvents } from '../events.ts'
import type { RunJournal } from '../journal.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { PlanOutputs, TaskOutputs } from '../outputs.ts'
import type { Siblings } from '../siblings/types.ts'
import type { Executor, RunEnd, RunnableService } from '../types.ts'
import type { UserIds } from '../user-ids.ts'
import type { WantedWarm } from '../warm/types.ts'

/** Unpacked code; `release` when no run needs the folder any more. */
export type ObtainedCode = { readonly dir: string; release(): Promise<void> }

export interface CodeProvider {
  /**
   * The service's code, verified and unpacked: world-readable files in a read-only folder. Code that is
   * more than `diskBytes` allow is refused before it is fetched.
   */
  obtain(
    service: RunnableService,
    options: {
      signal: AbortSignal
      diskBytes: number
      onProgress: (progress: { doneBytes: number; totalBytes: number }) => void
    },
  ): Promise<ObtainedCode>
  /** What is here of it stays, as it is, until this is disposed. */
  keep(service: RunnableService): Disposable
}

/** Keeps what tasks leave for their authors. */
export interface OutputKeeper {
  /** How much one task may leave that was granted so much disk: as the policy says now. */
  limits(diskBytes: number): Omit<PlanOutputs, 'paths'>
  /**
   * Packs and keeps it, or keeps why there is nothing; a second time for the same run, it takes the place of the first.
   * Answers one sentence for the run's log. It is there for good when this resolves. Throws what may work later.
   */
  keep(
    task: { readonly service: RunnableService; readonly runId: string; readonly diskBytes: number },
    left: TaskOutputs,
    options: { signal: AbortSignal },
  ): Promise<string>
}

export type Resources = {
  readonly memoryBytes: number
  readonly cpuMillicores: number
  readonly diskBytes: number
  readonly pids: number
  readonly runs: number
}

export type SupervisorComponents = {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  /** Where logs are; default: that of this machine. */
  readonly disk?: Disk | undefined
  readonly events: Emitter<ExecutionEvents>
  readonly journal: RunJournal
  readonly executors: readonly Executor[]
  readonly code: CodeProvider
  /** Absent: no task leaves anything, and one that would is refused. */
  readonly outputs?: OutputKeeper | undefined
  /** How the hosts that runs and builds reach are resolved and connected to. */
  readonly internet: EgressComponents
  /** The other runs of each service. */
  readonly siblings: Siblings
  /** Absent where the node is not root: its runs share a user. */
  readonly userIds?: UserIds | undefined
}

/** What the policy says of the life of runs. */
export type HealthSettings = {
  /** how long a service without ports and check has to be up to be healthy, ms */
  readonly healthyMs: number
  /** an update, and a service with `run.check`, that is not healthy by then has failed, ms */
  readonly deadlineMs: number
  /** how `run.check` is carried out; `failures` in a row end the run */
  readonly check: { readonly intervalMs: number; readonly timeoutMs: number; readonly failures: number }
  /** between restarts of a service that ends */
  readonly backoff: Backoff
}

/** The end of a run. `unhealthy`: it was stopped because its check failed. */
export type MonitoredEnd = Omit<RunEnd, 'reason'> & { readonly reason: RunEnd['reason'] | 'unhealthy' }

export type SupervisorInit = {
  readonly dirs: {
    /** log files, one folder per service; kept after exit */
    readonly logs: string
    /** what builds made of code */
    readonly builds: string
  }
  readonly builds: Pick<BuildsInit, 'maxBytes' | 'network' | 'timeoutMs'>
  /** The network that the policy in force lets runs have. */
  readonly netcap: () => RunnerConfig['NETCAP']
  /** What may be granted in all, as it is now. */
  readonly limits: () => Resources
  /** Runs that are started at once; others wait for their turn. */
  readonly startsAtOnce: number
  /** As the policy says now. */
  readonly health: () => HealthSettings
  /** What the policy wants kept warm; default: nothing. */
  readonly warm?: () => WantedWarm
  readonly logs: LogLimits & {
    /** Logs of services that ended longer ago are removed. */
    readonly retainSeconds: number
    /** All logs together: above it those of the services that ended first are removed. */
    readonly totalBytes: number
  }
  /** Between SIGTERM and SIGKILL, where a stop does not say. */
  readonly graceMs: number
  /**
   * What closing does to the runs. `false`: nothing; they go on and the next start adopts them, so that a node can be
   * upgraded under its services. `true`: it ends them and removes all that they left but their logs; a service that is
   * still wanted starts again with the node.
   */
  readonly stopOnClose: boolean
}

export type Granted = {
  readonly service: string
  readonly grant: Grant
  readonly ending: boolean
  /** An executor has it, or had it. Until then nothing of it has run: its code is fetched or built, or it waits for its start. */
  readonly begun: boolean
  /** It ends by itself again and again. */
  readonly failing: boolean
  /** It ends for a service that waits for its capacity, and counts for that one already. */
  readonly yields: boolean
}

export type RunStatus = {
  readonly record: RunRecord
  /**
   * With `run.check`: it passed since the last start, and it stayed up for 2 s after. With ports: each has accepted a
   * connection, likewise. Without: it has been up for the healthy time. A task never is: it has ended with 0, or not.
   */
  readonly healthy: boolean
}

export type StopOptions = {
  /** Journalled and shown: "its author stopped it", ... */
  readonly why: string
  readonly graceMs?: number
}

/** Carries out what was decided, and goes on doing so over crashes of the service, the engine and the node. */
export interface Supervisor extends AsyncDisposable {
  /**
   * Compares journal and engines, and takes up every run where it is. Before the first `run`. What ended with the machine
   * begins again when `mayBegin` resolves: other nodes may have taken over meanwhile.
   */
  boot(options?: {
    signal?: AbortSignal | undefined
    mayBegin?: ((service: string, options: { signal: AbortSignal }) => Promise<void>) | undefined
  }): Promise<void>
  /**
   * Journals the intent and returns; what follows is reported by events. A task that was once run here, and a service that
   * runs, are left as they are (a task that was stopped before it began has not run). `replaces`: an older service,
   * stopped when the new one is healthy. `evicts`: services that may be ended to free capacity, in this order; as few as it
   * takes are, and the new one begins when their runs have ended. Answers those. Throws a NoCapacityError where the
   * capacity is taken.
   */
  run(
    service: RunnableService,
    grant: Grant,
    options?: { replaces?: string | undefined; evicts?: readonly string[] | undefined },
  ): readonly string[]
  /** Journals the wish, then ends the run; resolves when it has ended. Fine when nothing runs. */
  stop(service: string, options: StopOptions): Promise<void>
  /** Stops it and removes its log files. */
  remove(service: string, options: StopOptions): Promise<void>
  status(service: string): RunStatus | undefined
  /** The policy is another: connections of runs and builds that it does not allow are cut. */
  reviseNetworks(): void
  /**
   * Has an executor keep warm what the policy wants, in memory that is free: to be called when a run has begun, not sooner, for
   * it may begin in what is warm; and when one has ended. `renew`: the policy is another, and all is made again.
   */
  keepWarm(options?: { renew: boolean }): void
  /** Reads nothing from the disk. */
  healthy(service: string): boolean
  /** How often its run has ended by itself and began again, and was not healthy since. */
  failures(service: string): number
  /** Services whose run is under way, in any state that is not final. */
  running(): string[]
  /** What they hold until they end. */
  granted(): Granted[]
  /** What may still be granted. */
  free(): Resources
  /** The last `tail` lines, then, with `follow`, new ones until the run has ended. */
  logs(
    service: string,
    options: { tail: number; follow: boolean; signal?: AbortSignal | undefined },
  ): AsyncIterable<LogLine>
  /** Through the gateway to a port by its name. Throws NotFoundError or UnavailableError. */
  connect(service: string, portName: string, options?: { signal?: AbortSignal | undefined }): Promise<BytePipe>
}
