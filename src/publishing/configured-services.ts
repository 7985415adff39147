import type { DrainState } from '../admission/drain/drain-state.ts'
import type { NodeFactsSource } from '../admission/facts/node-facts.ts'
import type { AddressTexts } from '../base/address-texts.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf, UnavailableError } from '../base/errors.ts'
import { joinWords } from '../base/format.ts'
import type { Log } from '../base/log.ts'
import { type ExecutorName, type Grant, LISTED_EXECUTORS } from '../base/verdict.ts'
import {
  type Configuration,
  canonicalToolchain,
  executorOfList,
  type OwnService,
  type RunnerConfig,
} from '../config/index.ts'
import type { Granted, RunnableService } from '../execution/index.ts'
import { choosePool } from '../runner/andromeda/pool.ts'
import { type AvailableExecutor, decideNetwork, grantBy } from '../runner/index.ts'
import type { SignedService } from '../services/registry.ts'
import { runnableOf } from '../services/runnable.ts'
import type { Publisher } from './publisher.ts'
import type { ServiceSigner } from './service-signer.ts'

/** How often services that are not here yet, or grow old, are looked for. */
const LOOK_EVERY_MS = 60_000

export interface ConfiguredServicesComponents {
  clock: Clock
  log: Log
  own: ServiceSigner
  facts: NodeFactsSource
  runs: {
    run(service: RunnableService, grant: Grant, options: { replaces?: string | undefined }): void
    status(service: string): unknown
    granted(): Granted[]
    stop(service: string, options: { why: string }): Promise<void>
  }
  publisher: Publisher
  stopped(id: string): boolean
  drain: Pick<DrainState, 'active' | 'resumes' | 'resumed'>
  isPaused(): boolean
  texts: AddressTexts
}

export interface ConfiguredServices extends Disposable {
  /** Takes up what is missing, changed or old. */
  look(): Promise<void>
}

/**
 * SERVICES and EXTERNAL_SERVICES: what the operator wrote down is signed, fetched and run at boot, and kept up as
 * long as the node lives. A service that cannot be started is reported, and does not keep the others from starting.
 */
export function createConfiguredServices(
  components: ConfiguredServicesComponents,
  init: { configuration(): Configuration; closing: AbortSignal },
): ConfiguredServices {
  const { log, own, facts, runs, publisher, drain } = components
  let looking = false
  let pulling = false
  /** ended because its toolchain is not granted any more: it begins again where it is */
  const moved = new Set<string>()

  async function startOwn(service: OwnService): Promise<void> {
    const issued = await own.fromConfiguration(service, { signal: init.closing })
    const id = issued.signed.id.toString()
    const replaces = publisher.current(issued.signed)
    if (service.publish) await publisher.publish(issued)
    else publisher.keep(issued)
    // while the node is drained or paused, what runs stays, and nothing begins
    if (components.stopped(id) || drain.active || components.isPaused()) return
    const { config } = init.configuration().policy
    const runnable = runnableOf(issued.signed, components.texts)
    const present = runs.granted().find((run) => run.service === id)
    const { capacity } = facts.current()
    const { memory, disk, cpu, pids } = issued.signed.body.resources
    const pool = choosePool({ ...runnable, resources: { memory, disk, cpu, pids } }, { config, capacity })
    const isPooled = config.CONTAINERS.includes((present?.grant.pool ?? pool.name) || '')
    const allowed: readonly ExecutorName[] = [...(isPooled ? ['pool' as const] : []), ...executorsFor(runnable, config)]
    const beginsAgain = moved.has(id) || drain.resumes(id)
    if (present === undefined ? runs.status(id) !== undefined && !beginsAgain : present.ending) return
    if (present !== undefined && allowed.includes(present.grant.executor)) return
    const there = capacity.executors.filter(({ name }) => name !== 'pool' || pool.executor !== undefined)
    const executor = there.find(({ name }) => name === allowed.find((one) => there.some((other) => other.name === one)))
    if (present !== undefined) {
      const why = notGrantedText(present.grant, runnable, config)
      log.warn('a service of SERVICES ends where it runs', { service: service.name, reason: why })
      moved.add(id)
      await runs.stop(id, { why })
    }
    if (executor === undefined)
      throw new UnavailableError(`it waits for ${joinWords(allowed, 'or')}, which is not available now`)
    moved.delete(id)
    const grant = grantOf(issued.signed, executor, config)
    runs.run(runnable, executor === pool.executor ? { ...grant, pool: pool.name } : grant, { replaces })
    drain.resumed(id)
  }

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      // a source node that does not answer delays nothing
      void pullExternal()
      for (const service of init.configuration().services) {
        await startOwn(service).catch((error: unknown) => {
          log.error('a service of SERVICES does not start', { service: service.name, reason: messageOf(error) })
        })
      }
    } finally {
      looking = false
    }
  }

  async function pullExternal(): Promise<void> {
    if (pulling) return
    pulling = true
    const missing = init.configuration().externalServices.filter(({ id }) => !publisher.knows(id))
    for (const { id, from } of missing) {
      await publisher.pull(id, from).catch((error: unknown) => {
        log.debug('a service of EXTERNAL_SERVICES is not there yet', { id, reason: messageOf(error) })
      })
    }
    pulling = false
  }

  const timer = components.clock.every(LOOK_EVERY_MS, () => void look())
  return { look, [Symbol.dispose]: () => timer.cancel() }
}

function notGrantedText({ executor, pool }: Grant, { toolchain }: RunnableService, { DOCKER_CONFIGS }: RunnerConfig) {
  if (executor === 'pool') return `CONTAINERS does not list ${pool} any more`
  if (executor === 'swarm' && !DOCKER_CONFIGS.SWARM) return 'DOCKER_CONFIGS.SWARM is not true any more'
  if (executor === 'docker' && DOCKER_CONFIGS.SWARM) return 'DOCKER_CONFIGS.SWARM is true now'
  const list = executor === 'swarm' ? 'docker' : executor
  return `PREFER_TOOLCHAIN.${list} does not grant ${joinWords(toolchain)} any more`
}

/**
 * Where an own service may run: by the lists of PREFER_TOOLCHAIN that have its toolchains. Where neither has them, the
 * lists are about the services of others, and it runs wherever it can.
 */
function executorsFor({ toolchain }: RunnableService, config: RunnerConfig): readonly ExecutorName[] {
  const { PREFER_TOOLCHAIN } = config
  const words = toolchain.map(canonicalToolchain)
  const possible = words.includes('docker') ? LISTED_EXECUTORS.slice(0, 1) : LISTED_EXECUTORS
  const needed = words.filter((word) => word !== 'docker')
  const listed = possible.filter((name) => needed.every((word) => PREFER_TOOLCHAIN[name].includes(word)))
  return (listed.length > 0 ? listed : possible).map((name) => executorOfList(name, config))
}

/**
 * LIMITS and NETCAP bound an own service, and PREFER_TOOLCHAIN says where it runs: writing it into SERVICES was the operator's
 * verdict. What NETCAP does not cover of the network that it asks for, it does not get.
 */
function grantOf({ body }: SignedService, executor: AvailableExecutor, { LIMITS, NETCAP }: RunnerConfig): Grant {
  const { memory, disk, cpu, pids } = body.resources
  const network = grantBy(executor, decideNetwork(body.network, NETCAP)) ?? { mode: 'none' }
  return {
    executor: executor.name,
    memoryBytes: Math.min(memory, LIMITS.SERVICE.MEMORY),
    cpuMillicores: Math.min(cpu, LIMITS.SERVICE.CPU),
    diskBytes: Math.min(disk, LIMITS.SERVICE.DISK),
    pids: Math.min(pids, LIMITS.SERVICE.PIDS),
    timeoutSeconds: body.run.timeout,
    network,
  }
}
