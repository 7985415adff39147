import type { Clock } from '../base/clock.ts'
import { createEvents } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { RunnerConfig } from '../config/index.ts'
import { createRunnerHost, type RunnerEvents, type RunnerHost } from '../runner/index.ts'

/** The module that decides, and how much it may do. */
export type RunnerModule = {
  /** absolute path */
  readonly entry: string
  readonly dir: string
  /** may its process use the network */
  readonly network: boolean
  /** time for one decision; default: the host's */
  readonly timeoutMs?: number | undefined
}

/**
 * A runner beside the one that decides, to be asked what it would say under another policy. It is loaded in the very way
 * in which a node loads its own. Rejects with a RunnerError, whose message is one sentence, where it cannot be loaded.
 */
export async function startCandidate(
  { clock, log }: { clock: Clock; log: Log },
  init: RunnerModule & { readonly config: RunnerConfig },
): Promise<RunnerHost> {
  // a candidate's events are not events of the node
  const events = createEvents<RunnerEvents>()
  const { entry, dir, network, config, timeoutMs } = init
  const host = createRunnerHost({ clock, log, events }, { entry, dir, network, config, limits: { timeoutMs } })
  try {
    await host.start()
    return host
  } catch (error) {
    await host[Symbol.asyncDispose]()
    throw error
  }
}
