import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { createEngine, type Engine } from '../docker/engine.ts'
import { createDockerExecutor } from '../docker/executor.ts'
import type { DockerExecutor, DockerExecutorInit } from '../docker/types.ts'
import { IMAGE_REPOSITORY, ownerOf } from './launcher/leftovers.ts'
import { missingLimits } from './limits-check.ts'
import type { Relay } from './relay.ts'
import { createTunnel } from './tunnel.ts'
import type { SwarmTask } from './types.ts'

/** The engine of the machine where a task is, through the task's launcher, and the executor that makes the task's run there. */
export type Machine = {
  readonly task: SwarmTask
  readonly executor: DockerExecutor
  readonly engine: Engine
  /** Throws an UnavailableError where its launcher cannot be reached. */
  reach(): Promise<void>
  /** All that is made from now on is in this control group. */
  placeIn(cgroupParent: string): void
} & AsyncDisposable

export type MachineInit = Omit<DockerExecutorInit, 'docker' | 'nodeId' | 'beforeStart'> & {
  readonly task: SwarmTask
  readonly key: Buffer
  readonly runtime?: string | undefined
  /** What to say of an engine that does not hold these limits of a run. Then nothing of the run is started. */
  unfit(missing: readonly string[]): Error
}

export function createMachine(
  { clock, log, relay }: { clock: Clock; log: Log; relay: Pick<Relay, 'open'> },
  { task, key, runtime, unfit, ...init }: MachineInit,
): Machine {
  const tunnel = createTunnel({ clock, carrier: () => relay.open(task.service), key, task: task.id })
  const name = `the machine ${task.machine ?? ''} of the swarm`
  let place: string | undefined
  const through = {
    agent: tunnel.agent,
    name,
    get cgroupParent() {
      return place
    },
  }
  const docker = { runtime, through }
  const engine = createEngine(docker, clock)
  // what is not this task's, its executor neither finds nor touches
  const executor = createDockerExecutor(
    { clock, log },
    {
      ...{ ...init, docker, nodeId: ownerOf(task.id), imageRepository: IMAGE_REPOSITORY },
      beforeStart({ plan, handle, run, gateway }) {
        const missing = missingLimits(plan, handle, { run, gateway, cgroupParent: place })
        if (missing.length > 0) throw unfit(missing)
      },
    },
  )
  return {
    task,
    executor,
    engine,
    async reach() {
      ;(await tunnel.open()).destroy()
    },
    placeIn(cgroupParent) {
      place = cgroupParent
    },
    async [Symbol.asyncDispose]() {
      await executor[Symbol.asyncDispose]()
      tunnel.close()
    },
  }
}
