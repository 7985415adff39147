import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { DockerExecutorInit } from '../docker/types.ts'
import type { Executor } from '../types.ts'

/** Disposing it closes its connections; runs go on. */
export type SwarmExecutor = Executor & AsyncDisposable

export type SwarmExecutorComponents = { readonly clock: Clock; readonly rng: Rng; readonly log: Log }

/** `docker`: an engine that is a manager of the swarm. */
export type SwarmExecutorInit = Omit<DockerExecutorInit, 'nodeImage'> & {
  /** False: it starts nothing, and only ends what it started before. */
  readonly enabled: boolean
  /** A registry that all machines of the swarm reach, `host[:port][/path]`: the image of the launchers is pushed there. */
  readonly registry: string
  /** On which machines runs are placed, as Docker writes it: "node.role==worker". */
  readonly constraints: readonly string[]
  /** The node's secret, from which each launcher's key is derived. It is made when there is none. */
  readonly keyFile: string
}

/** How a run is found again: its services of the swarm are labelled with the run's id. JSON. */
export type SwarmHandle = { readonly swarm: string }

/** What is known of the task that holds a run. */
export type SwarmTask = {
  readonly id: string
  /** the service, by which the launcher is found on its network */
  readonly service: string
  readonly state: string
  /** The swarm wants it to run. */
  readonly wanted: boolean
  /** Why it does not run, or not yet, in the swarm's words. */
  readonly reason: string
  /** ms since 1970: since when it is in this state */
  readonly since: number
  /** the swarm's id of the machine; absent: it has not been placed */
  readonly machine?: string | undefined
  /** absent: it has not been started */
  readonly container?: string | undefined
}
