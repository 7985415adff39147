import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Grant } from '../base/verdict.ts'
import type { Configuration, OwnService, RunnerConfig } from '../config/index.ts'
import type { RunnableService } from '../execution/index.ts'
import type { AddressTexts } from './address-text.ts'
import type { Facts } from './facts.ts'
import type { Own } from './own.ts'
import type { Publisher } from './publisher.ts'
import { runnableOf } from './runnable.ts'
import type { SignedService } from './services.ts'

/** How often services that are not here yet, or grow old, are looked after. */
const LOOK_EVERY_MS = 60_000

export interface AutostartComponents {
  clock: Clock
  log: Log
  own: Own
  facts: Facts
  runs: {
    run(service: RunnableService, grant: Grant, options: { replaces?: string | undefined }): void
    status(service: string): unknown
  }
  publisher: Publisher
  stopped(id: string): boolean
  texts: AddressTexts
}

/**
 * SERVICES and EXTERNAL_SERVICES: what the operator wrote down is signed, fetched and run at boot, and looked after as
 * long as the node lives. A service that can not be started is reported, and does not keep the others from starting.
 */
export function createAutostart(
  components: AutostartComponents,
  init: { configuration(): Configuration; closing: AbortSignal },
): { look(): Promise<void> } & Disposable {
  const { log, own, facts, runs, publisher } = components
  let looking = false
  let pulling = false

  async function startOwn(service: OwnService): Promise<void> {
    const issued = await own.fromConfiguration(service, { signal: init.closing })
    const id = issued.signed.id.toString()
    const replaces = publisher.current(issued.signed)
    if (service.publish) await publisher.publish(issued)
    else publisher.keep(issued)
    if (components.stopped(id) || runs.status(id) !== undefined) return
    runs.run(
      runnableOf(issued.signed, components.texts),
      grantOf(issued.signed, init.configuration().policy.config, facts),
      { replaces },
    )
  }

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      // a node that is named as a source and does not answer keeps nobody waiting
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

/** LIMITS alone bound an own service: writing it into SERVICES was the operator's verdict. */
function grantOf({ body }: SignedService, { LIMITS }: RunnerConfig, facts: Facts): Grant {
  const { memory, disk, cpu, pids } = body.resources
  const executors = facts.current().capacity.executors.map((executor) => executor.name)
  return {
    executor: executors.includes('docker') ? 'docker' : 'host',
    memoryBytes: Math.min(memory, LIMITS.SERVICE.MEMORY),
    cpuMillicores: Math.min(cpu, LIMITS.SERVICE.CPU),
    diskBytes: Math.min(disk, LIMITS.SERVICE.DISK),
    pids: Math.min(pids, LIMITS.SERVICE.PIDS),
    timeoutSeconds: body.run.timeout,
    network: { mode: 'none' },
  }
}
