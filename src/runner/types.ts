import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'
import type { ReceivedService, RunnerSnapshot } from './contract.ts'
import type { RunnerEvents } from './events.ts'

/**
 * The operator's runner, in a process of its own: it decides about each service, and nothing that it does, or fails to
 * do, reaches the node.
 *
 *     await using host = createRunnerHost({ clock, log, events }, { ...configuration.runner, config: policy.config })
 *     await host.start()
 *     const verdict = await host.decide(service, snapshot, { signal })
 */
export interface RunnerHost extends AsyncDisposable {
  /** Loads the module. Rejects with a RunnerError of kind `load`, whose message is one sentence, when it is unusable. */
  start(): Promise<void>
  /**
   * Asks the module. Rejects with a RunnerError when it fails (then the service is neither run nor redirected, and the
   * failure is not remembered), or with a QueueFullError or the signal's reason. Nodes in one process may share a host:
   * everything that a decision depends on comes with the snapshot.
   */
  decide(
    service: ReceivedService,
    snapshot: RunnerSnapshot,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Verdict>
  /**
   * Loads the module again in a new process beside the old one, then swaps; what is under way is answered by the old
   * one. Rejects when the new one is unusable; the old one goes on. With `place` it is another module from then on.
   */
  reload(config?: RunnerConfig, place?: RunnerLocation): Promise<void>
  stats(): RunnerHostStats
}

export type RunnerHostStats = {
  readonly decided: number
  readonly failed: number
  /** processes that ended without being asked to */
  readonly died: number
  readonly swapped: number
  readonly waiting: number
  readonly underWay: number
  /** of the process that decides now */
  readonly pid: number | undefined
  readonly residentBytes: number
}

export interface RunnerHostComponents {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<RunnerEvents>
}

export type RunnerLocation = {
  /** absolute path of the module */
  readonly entry: string
  /** absolute path of its folder, which it may read, and which is watched */
  readonly dir: string
  /** may its process use the network (RUNNER_NETWORK) */
  readonly network: boolean
}

export type RunnerHostInit = RunnerLocation & {
  /** what the global RUNNER_CONFIGS says until a snapshot brings its own */
  readonly config: RunnerConfig
  readonly limits?:
    | {
        /** default 128 */
        readonly heapMb?: number | undefined
        /** default 256 MiB */
        readonly residentBytes?: number | undefined
        /** time for one decision; default 2000 */
        readonly timeoutMs?: number | undefined
        /** time for importing the module; default 10,000 */
        readonly loadMs?: number | undefined
      }
    | undefined
}
