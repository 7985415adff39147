import { deadline, sleep } from '../../base/clock.ts'
import { messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import { NODE_IMAGE } from '../constants.ts'
import { createEngine, isTransient, reasonOf, statusOf } from '../docker/engine.ts'
import { nonce } from '../docker/nonce.ts'
import { finishedRun } from '../docker/run.ts'
import { EngineGoneError, RunRefusedError } from '../errors.ts'
import type { AdoptedRun, Plan, Run } from '../types.ts'
import { architectureOf, swarmAvailability } from './availability.ts'
import { createLauncherKeys } from './keys.ts'
import { createLauncherImage } from './launcher-image.ts'
import { createMachine, type Machine, type MachineInit } from './machine.ts'
import { createManager, isOver, type SwarmService } from './manager.ts'
import { untilPlaced } from './placement.ts'
import { createRelay } from './relay.ts'
import { lostEnd, swarmRun } from './run.ts'
import { serviceName } from './service-options.ts'
import { createSweeps } from './sweeps.ts'
import { createToolchainImages } from './toolchain-images.ts'
import type { SwarmExecutor, SwarmExecutorComponents, SwarmExecutorInit, SwarmHandle, SwarmTask } from './types.ts'
import { createUnfitMachines } from './unfit-machines.ts'

/** A launcher's name is known on its network some seconds after it began. */
const REACH_MS = 30_000
const REACH_RETRY_MS = 200
/** What does not answer so long while all runs are looked for is away. */
const ADOPT_MS = 15_000
const REMOVE_MS = 60_000

/**
 * Runs services on the machines of a Docker Swarm. The swarm places a launcher of ours, which carries this node's connections to
 * its machine's engine; there the docker executor makes run and gateway. See docs/decisions/execution/swarm-places-launchers.md.
 */
export function createSwarmExecutor(components: SwarmExecutorComponents, init: SwarmExecutorInit): SwarmExecutor {
  const { clock, log, rng } = components
  const { nodeId, docker: config } = init
  const engine = createEngine(config, clock)
  const manager = createManager({ engine, nodeId })
  const image = createLauncherImage({ engine, clock }, init)
  const keys = createLauncherKeys({ rng }, init)
  const toolchainImages = createToolchainImages({ engine }, init)
  const relay = createRelay({ engine, clock, nodeId, image: image.inEngine, network: manager.network })
  const closing = new AbortController()
  const architecture = () => architectureOf(engine)
  const sweeps = createSweeps({ clock, log, manager, image, architecture }, { nodeId, signal: closing.signal })
  const unfitMachines = createUnfitMachines({ clock })
  /** by task */
  const machines = new Map<string, Machine>()
  /** Runs that are being started: their machines are not made yet, or not with all that their start knows. */
  const beginning = new Set<string>()

  async function machineOf(task: SwarmTask, change: Partial<MachineInit> = {}): Promise<Machine> {
    const key = await keys.of(task.service)
    const known = machines.get(task.id)
    if (known !== undefined) return known
    const { runtimeDir, toolchains, ownAddress, registries, logs } = init
    const own = { runtimeDir, toolchains, ownAddress, registries, logs, runtime: config.runtime }
    const unfit = (missing: readonly string[]) => unfitMachines.add(task.machine ?? '', missing)
    const machine = createMachine({ clock, log, relay }, { ...own, task, key, unfit, ...change })
    machines.set(task.id, machine)
    return machine
  }

  async function leave(task: SwarmTask | undefined): Promise<void> {
    if (task === undefined) return
    const machine = machines.get(task.id)
    machines.delete(task.id)
    await machine?.[Symbol.asyncDispose]()
  }

  async function untilReached(machine: Machine, signal: AbortSignal | undefined): Promise<void> {
    const until = clock.monotonic() + REACH_MS
    for (;;) {
      try {
        return await machine.reach()
      } catch (error) {
        if (clock.monotonic() > until) throw error
        await sleep(clock, REACH_RETRY_MS, { signal })
      }
    }
  }

  async function launch(plan: Plan, signal: AbortSignal | undefined): Promise<Machine> {
    const { runId } = plan
    const [reference, toolchains] = await Promise.all([image.inRegistry(), toolchainImages.of(plan)])
    // no launcher that is still ending has this name, and none of an earlier start this key
    const name = serviceName(runId, nonce(clock, runId))
    const target = { name, nodeId, image: reference, architecture: await architecture() }
    await manager.launch({
      ...target,
      plan,
      constraints: [...init.constraints, ...unfitMachines.constraints()],
      network: await manager.network(),
      key: await keys.of(name),
    })
    const service = (await manager.servicesOf(runId)).find((found) => found.name === name)
    if (service === undefined) throw new UnavailableError('the swarm has lost the launcher of the run')
    const task = await untilPlaced({ clock, manager }, service, { signal, note: unfitMachines.note() })
    const machine = await machineOf(task, { toolchains, registries: () => [], nodeImage: reference })
    await untilReached(machine, signal)
    const { CgroupVersion, CgroupDriver } = await machine.engine.ask((docker) => docker.info())
    // elsewhere a control group with a process of its own has none below it
    if (CgroupVersion === '1' && CgroupDriver === 'cgroupfs') machine.placeIn(`/docker/${task.container}`)
    return machine
  }

  async function begin(plan: Plan, signal: AbortSignal | undefined): Promise<Run> {
    if (plan.readOnlyMounts !== undefined) throw new RunRefusedError("this run needs the host's sandbox")
    await remove(handleOf(plan))
    try {
      const machine = await launch(plan, signal)
      const inner = await machine.executor.start(plan, { signal })
      return runOf(plan.runId, machine.task, inner)
    } catch (error) {
      await remove(handleOf(plan)).catch((failure: unknown) =>
        log.warn('a run that did not start could not be removed', { runId: plan.runId, reason: messageOf(failure) }),
      )
      throw statusOf(error) === undefined ? error : refusedBySwarm(error)
    }
  }

  const handleOf = ({ runId }: Pick<Plan, 'runId'>): SwarmHandle => ({ swarm: runId })

  /** `first`: it has just been started. Any other is looked for when it is needed, and again when it was not there. */
  function runOf(runId: string, task: SwarmTask, first?: Run): Run {
    let known = first
    async function inner(): Promise<Run> {
      const machine = await machineOf(task)
      known ??= (await machine.executor.adopt()).find((found) => found.runId === runId)?.run
      if (known === undefined) throw new EngineGoneError('the machine of the swarm does not know the run')
      return known
    }
    async function over(): Promise<string | undefined> {
      const [service] = (await manager.servicesOf(runId)).filter(({ name }) => name === task.service)
      if (service === undefined) return 'its service was removed'
      const current = await manager.taskOf(service)
      if (current === undefined || current.id !== task.id) return 'it was started again without the node'
      return isOver(current) ? current.reason : undefined
    }
    return swarmRun({ handle: handleOf({ runId }), startedAt: first?.startedAt ?? task.since, inner, over })
  }

  async function remove({ swarm: runId }: SwarmHandle): Promise<void> {
    for (const service of await manager.servicesOf(runId)) {
      const task = await manager.taskOf(service)
      const runs = task?.state === 'running' && !isOver(task)
      const removed = runs && (await removeRun(runId, task))
      await leave(task)
      // a launcher that runs removes what there is of its run
      await manager.removeService(service)
      // whether that one does so, nobody sees: its service is gone
      if (!removed && task?.container !== undefined && task.machine !== undefined && task.state !== 'complete')
        sweeps.begin(task.machine)
    }
    await manager.removeSecrets(runId)
  }

  /** False where the machine cannot be reached. */
  async function removeRun(runId: string, task: SwarmTask): Promise<boolean> {
    const { executor } = await machineOf(task)
    try {
      await within(REMOVE_MS, () => executor.remove(executor.handle({ runId } as Plan)))
      return true
    } catch (error) {
      log.warn('a run of the swarm is removed by its launcher', { runId, reason: messageOf(error) })
      return false
    }
  }

  async function within<T>(ms: number, act: () => Promise<T>): Promise<T> {
    using limit = deadline(clock, ms, new TimeoutError('the machine of the swarm does not answer in time'))
    const late = new Promise<never>((_resolve, reject) =>
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true }),
    )
    return Promise.race([act(), late])
  }

  async function adoptRun({ id, name, role, runId, service }: SwarmService): Promise<AdoptedRun> {
    const purpose = role === 'build' ? 'build' : 'run'
    const about = { runId, service, purpose } as const
    const task = await manager.taskOf({ id, name })
    const over = (exitCode: number, detail: string) =>
      finishedRun(handleOf({ runId }), task?.since ?? clock.now(), { exitCode, reason: 'stopped', detail })
    if (task === undefined || (task.state !== 'running' && !isOver(task)))
      return { ...about, state: 'prepared', run: over(125, 'it was never started') }
    if (isOver(task)) {
      await leave(task)
      const run = { ...over(137, ''), wait: async () => lostEnd(task.reason) }
      return { ...about, state: task.container === undefined ? 'prepared' : 'ended', run }
    }
    const machine = await machineOf(task)
    const found = await within(ADOPT_MS, () => machine.executor.adopt()).catch(() => 'away' as const)
    if (found === 'away') return { ...about, state: 'running', run: runOf(runId, task) }
    const inner = found.find((run) => run.runId === runId)
    if (inner === undefined) return { ...about, state: 'prepared', run: over(125, 'it was never started') }
    return { ...about, state: inner.state, run: runOf(runId, task, inner.run) }
  }

  return {
    name: 'swarm',
    keepsOutputs: true,
    available: () => swarmAvailability(engine, manager, init),
    // what the operator has put into one engine is not in the others
    hasImage: async () => false,
    async builderId(plan) {
      const [reference, toolchains, machine] = await Promise.all([
        image.inRegistry(),
        toolchainImages.of(plan),
        architecture(),
      ])
      const images = plan.toolchain.flatMap((word) => toolchains[word]?.image ?? [])
      const used = images[0] === NODE_IMAGE ? reference : images[0]
      return JSON.stringify(['swarm', machine, config.runtime ?? '', plan.image?.digest ?? plan.imageId ?? used ?? ''])
    },
    handle: handleOf,
    async start(plan, { signal } = {}) {
      beginning.add(plan.runId)
      try {
        return await begin(plan, signal)
      } finally {
        beginning.delete(plan.runId)
      }
    },
    async adopt() {
      const services = await manager.services()
      await Promise.all([sweeps.finish(services), relay.sweep()])
      const isRun = ({ role, runId }: SwarmService) => (role === 'run' || role === 'build') && !beginning.has(runId)
      return Promise.all(services.filter(isRun).map(adoptRun))
    },
    remove: (handle) => remove(handle as SwarmHandle),
    async [Symbol.asyncDispose]() {
      closing.abort()
      relay.close()
      for (const machine of machines.values()) await machine[Symbol.asyncDispose]()
      machines.clear()
      if ((await manager.services().catch(() => [undefined])).length === 0) await manager.removeNetwork()
      engine.close()
    },
  }
}

/** A manager that is busy or has no majority answers otherwise a moment later. */
function refusedBySwarm(error: unknown): Error {
  const reason = reasonOf(error).slice(0, 300)
  const passes = isTransient(error) || statusOf(error) === 500
  return passes
    ? new EngineGoneError(`the swarm cannot start it now: ${reason}`, { cause: error })
    : new RunRefusedError(`the swarm does not start it: ${reason}`, { cause: error })
}
