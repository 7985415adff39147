import type { AddressTexts } from '../../base/address-texts.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import { type ExecutorName, isOnThisMachine } from '../../base/verdict.ts'
import type { ClientRegistries, Policy, RunnerConfig } from '../../config/index.ts'
import type { Availability, Executor, Granted } from '../../execution/index.ts'
import type { AvailableExecutor, NodeFacts, RunningService } from '../../runner/index.ts'
import type { Services } from '../../services/registry.ts'
import type { FactsEvents } from '../events.ts'
import { availableCapacity, machineCapacity, machineWith, totalLimits } from './capacity.ts'
import type { Machine, MachineResources } from './host-resources.ts'

/** An engine that was installed or went away, and memory that others use, are noticed in this time. */
const LOOK_EVERY_MS = 30_000

/** Free memory comes and goes by the page; less than this lets no further service run. */
const WORTH_ASKING = 16 * 1024 * 1024

export type AssumedFacts = {
  readonly config?: RunnerConfig
  readonly machine?: boolean
  readonly executor?: ExecutorName | undefined
  readonly only?: boolean
}

export type ExecutorView = Availability & { readonly name: ExecutorName }

export interface NodeFactsComponents {
  clock: Clock
  log: Log
  events: Emitter<FactsEvents>
  executors: readonly Executor[]
  machine: Machine
  services: Pick<Services, 'get'>
  texts: AddressTexts
  granted(): Granted[]
  /** is it one of SERVICES? */
  isOwn(id: string): boolean
}

/** What is true of the node whatever the service: the half of the runner's snapshot that all decisions share. */
export interface NodeFactsSource extends Disposable {
  current(): NodeFacts
  /** As if only these ran; without `machine`, LIMITS alone say what is free. `executor` counts as there, with `only` no other. */
  assuming(held: readonly RunningService[], options?: AssumedFacts): NodeFacts
  /** All that holds capacity: what is about to end, too, unless it ends for another one that is among them already. */
  running(): readonly RunningService[]
  executors(): readonly ExecutorView[]
  /** Looks which executors are there, and what the machine has, now. */
  refresh(): Promise<void>
  /** What the machine has, alone: after a run has begun or ended. */
  refreshMachine(): Promise<void>
  /** What is known of a running service has changed, or of all. */
  forget(id?: string): void
}

export function createNodeFacts(
  components: NodeFactsComponents,
  init: { own: string; policy(): Policy; clientRegistries?: (() => ClientRegistries) | undefined },
): NodeFactsSource {
  const { clock, log, machine, services, texts, granted } = components
  let seen: readonly ExecutorView[] = []
  let resources: MachineResources | undefined
  /** what runs, by id: a decision reads nothing from the disk */
  const known = new Map<string, RunningService>()

  async function refresh(): Promise<void> {
    const [before, had] = [resources, seen]
    const [views] = await Promise.all([
      Promise.all(components.executors.map((executor) => executorViewOf(executor))),
      refreshMachine(),
    ])
    // a node that has made no pool does not name them
    seen = views.filter(({ name, available }) => available || name !== 'pool')
    const came = views.filter(
      (view) =>
        view.available &&
        canMore(
          view,
          had.find(({ name }) => name === view.name),
        ),
    )
    const more = resources !== undefined && before !== undefined && hasMore(before, resources)
    for (const { name } of came) components.events.emit('facts:executor-available', { executor: name })
    if (came.length > 0 || more) components.events.emit('facts:capacity-grown', {})
  }

  async function refreshMachine(): Promise<void> {
    try {
      resources = await machine.read()
    } catch (error) {
      // then LIMITS alone say what is free
      log.warn("the machine's resources could not be read", { reason: messageOf(error) })
    }
  }

  function runningOf({ service: id, grant }: Granted): RunningService {
    const before = known.get(id)
    if (before !== undefined) return before
    const entry = services.get(id)
    const running = {
      id,
      author: entry === undefined ? '' : texts.ofBytes(entry.record.author),
      name: entry?.record.name ?? '',
      rank: entry?.verdict?.verdict?.rank ?? 0,
      own: components.isOwn(id),
      memory: grant.memoryBytes,
      cpu: grant.cpuMillicores,
      disk: grant.diskBytes,
      pids: grant.pids,
      executor: grant.executor,
    }
    known.set(id, running)
    return running
  }

  function running(runs = granted().filter(({ yields }) => !yields)): RunningService[] {
    if (known.size > runs.length) {
      const ids = new Set(runs.map(({ service }) => service))
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    }
    return runs.map(runningOf)
  }

  const assuming: NodeFactsSource['assuming'] = (
    held,
    { config = init.policy().config, machine: bounded = true, executor, only = false } = {},
  ) => {
    const machineFor = (runs: readonly RunningService[]) =>
      bounded && resources !== undefined ? machineWith(resources, onThisMachine(running(granted())), runs) : undefined
    const there = seen.filter(({ available, name }) => name === executor || (available && !only))
    const executors = there.map(forRunner)
    const facts = { config, own: init.own, running: held, clientRegistries: init.clientRegistries?.() }
    if (!config.DOCKER_CONFIGS.SWARM) {
      const free = availableCapacity(totalLimits(config), held, machineFor(held))
      return { ...facts, capacity: { ...free, executors } }
    }
    // what the machines of a swarm have, the swarm knows when it places
    const free = availableCapacity(totalLimits(config), held, undefined)
    const heldHere = onThisMachine(held)
    const machine = machineFor(heldHere)
    return { ...facts, capacity: { ...free, executors, here: machine && machineCapacity(heldHere, machine) } }
  }

  const timer = clock.every(LOOK_EVERY_MS, () => void refresh())
  return {
    refresh,
    refreshMachine,
    executors: () => seen,
    running: () => running(),
    current: () => assuming(running()),
    assuming,
    forget(id) {
      if (id === undefined) known.clear()
      else known.delete(id)
    },
    [Symbol.dispose]: () => timer.cancel(),
  }
}

function onThisMachine(runs: readonly RunningService[]): RunningService[] {
  return runs.filter(({ executor }) => isOnThisMachine(executor))
}

/** Is it there, or has it a toolchain, that was not there before? */
function canMore(now: ExecutorView, before: ExecutorView | undefined): boolean {
  if (before?.available !== true) return true
  const pools = new Set(before.pools?.map(({ name }) => name))
  if (now.pools?.some(({ name }) => !pools.has(name)) === true) return true
  return now.toolchains?.some((name) => before.toolchains?.includes(name) === false) === true
}

function hasMore(before: MachineResources, now: MachineResources): boolean {
  return now.memoryBytes - before.memoryBytes >= WORTH_ASKING || now.diskBytes - before.diskBytes >= WORTH_ASKING
}

/** Asks an executor whether it could start a run now; one that fails is not there. */
export async function executorViewOf(executor: Executor, signal?: AbortSignal): Promise<ExecutorView> {
  const found = await executor
    .available({ signal })
    .catch((error: unknown) => ({ available: false, detail: messageOf(error), unenforcedLimits: [] }))
  return { name: executor.name, ...found }
}

export function forRunner(view: ExecutorView): AvailableExecutor {
  const { name, detail, unenforcedLimits, ownOnly, networks, toolchains, pools } = view
  return {
    name,
    toolchains,
    ownOnly,
    networks,
    ...(pools !== undefined && {
      pools: pools.map(({ name, memoryBytes, cpuMillicores, pids }) => ({ name, memoryBytes, cpuMillicores, pids })),
    }),
    note: unenforcedLimits.length === 0 ? detail : `${detail} (${unenforcedLimits.join('; ')})`,
  }
}
