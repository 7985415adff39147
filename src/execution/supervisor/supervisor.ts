import { sleep, type Timer } from '../../base/clock.ts'
import { messageOf, NotFoundError, UnavailableError } from '../../base/errors.ts'
import { systemDisk } from '../../base/os/disk.ts'
import { retry } from '../../base/retry.ts'
import type { RunRecord } from '../../base/run-record.ts'
import type { Grant } from '../../base/verdict.ts'
import { createBuilds } from '../builds/builds.ts'
import {
  CONNECT_PATIENCE_MS,
  LOG_CLEANUP_MS,
  MAX_OVERDUE_STARTS,
  MAX_OVERDUE_STARTS_OF_AUTHOR,
  RETRY_BACKOFF,
  START_OVERDUE_MS,
} from '../constants.ts'
import { NoCapacityError } from '../errors.ts'
import { FINAL_STATES } from '../journal.ts'
import { releaseLeftOver } from '../left-over-users.ts'
import { readLogs } from '../logs/reader.ts'
import type { AdoptedRun, Executor } from '../types.ts'
import { createWarmKeeper } from '../warm/keeper.ts'
import { removeOldLogs } from './log-cleanup.ts'
import { createOlderVersions } from './older-versions.ts'
import { capacityFor, freeResources, NEWER_VERSION_RUNS, NEWER_VERSION_STARTS } from './resources.ts'
import { buildIdOf, logDirOf, mayBegin, type RunSpec } from './run-spec.ts'
import { createRunWorker } from './run-worker.ts'
import { createStartQueue } from './start-queue.ts'
import type { Granted, Supervisor, SupervisorComponents, SupervisorInit } from './types.ts'
import type { RunWorker, RunWorkerInit } from './worker-types.ts'

export function createSupervisor(components: SupervisorComponents, init: SupervisorInit): Supervisor {
  const { clock, rng, log, disk = systemDisk(), events, journal, userIds } = components
  const executors = new Map<string, Executor>(components.executors.map((executor) => [executor.name, executor]))
  /** by service */
  const workers = new Map<string, RunWorker>()
  /** the services whose end a service waits for before it begins: their capacity is reserved for it */
  const claims = new Map<string, readonly string[]>()
  const builds = createBuilds(components, { dir: init.dirs.builds, logs: init.logs, ...init.builds })
  const startQueue = createStartQueue(clock, {
    atOnce: init.startsAtOnce,
    overdueMs: START_OVERDUE_MS,
    maxOverdue: MAX_OVERDUE_STARTS,
    maxOverdueOfAuthor: MAX_OVERDUE_STARTS_OF_AUTHOR,
  })
  const free = () => freeResources(init.limits(), granted(), yielding())
  const warmKeeper = createWarmKeeper(components, { wanted: init.warm, freeBytes: () => free().memoryBytes })
  const closing = new AbortController()
  const background = new Set<Promise<void>>()
  const { underWay, failing } = createOlderVersions(journal, workers)
  let booted = false
  let cleanUp: Promise<void> | undefined
  let cleanUpTimer: Timer | undefined

  function begin(
    record: RunRecord,
    found?: Promise<AdoptedRun | undefined>,
    mayBegin?: RunWorkerInit['mayBegin'],
  ): void {
    const { service, replaces, evicts = [] } = record.plan as RunSpec
    const executor = executors.get(record.executor)
    if (executor === undefined) {
      const detail = `there is no executor "${record.executor}" on this node`
      journal.update(record.runId, { state: 'refused', detail, at: Math.floor(clock.now()) })
      return
    }
    const { dirs, health, logs, graceMs, netcap } = init
    const worker = createRunWorker(components, {
      dirs,
      health,
      logs,
      graceMs,
      netcap,
      record,
      executor,
      closing: closing.signal,
      later: track,
      builds,
      startQueue,
      found,
      mayBegin,
      // one that has begun needs no more capacity, and those that it evicted may run again
      evictionsDone: record.state === 'decided' && evicts.length > 0 ? evictFor(service.id, evicts) : undefined,
      onHealthy() {
        endEach(underWay(replaces), 'a newer version of it is healthy')
      },
      updates: () =>
        underWay(replaces).some((older) => workers.get(older)?.healthy === true && !workers.get(older)?.ending),
      endOlder: () => Promise.all(underWay(replaces).map((older) => stop(older, { why: NEWER_VERSION_STARTS }))),
    })
    workers.set(service.id, worker)
    track(
      worker.done.then(() => {
        if (workers.get(service.id) === worker) {
          workers.delete(service.id)
          claims.delete(service.id)
        }
        if (!closing.signal.aborted) events.emit('execution:freed', { service: service.id, runId: worker.runId })
      }),
    )
  }

  function endEach(versions: readonly string[], why: string): void {
    for (const older of versions) {
      stop(older, { why }).catch((error: unknown) =>
        log.warn('the older version of a service could not be stopped', { service: older, reason: messageOf(error) }),
      )
    }
  }

  /** Ends the services that a service evicts. After a restart too: the plan names them, whatever the node had done of it. */
  function evictFor(service: string, evicts: readonly string[]): Promise<void> {
    const why = `it was evicted for ${service}, which ranks higher`
    const ended = (id: string) => (workers.get(id)?.ending ? workers.get(id)?.done : stop(id, { why }))
    claims.set(service, evicts)
    const made = Promise.all(evicts.filter((id) => workers.has(id)).map(ended)).then(() => {
      if (claims.get(service) === evicts) claims.delete(service)
    })
    made.catch((error: unknown) => log.warn('a run could not be ended for a better one', { reason: messageOf(error) }))
    return made
  }

  /** Those that end for a service that their capacity is reserved for: it is not given a second time. */
  function yielding(): string[] {
    return [...new Set([...claims.values()].flat())].filter((id) => workers.get(id)?.ending === true)
  }

  function granted(): Granted[] {
    const leaving = new Set(yielding())
    return [...workers].map(([service, { spec, ending, begun, failing }]) => {
      return { service, grant: spec.grant, ending, begun, failing, yields: leaving.has(service) }
    })
  }

  function track(work: Promise<void>): void {
    background.add(work)
    work.then(
      () => background.delete(work),
      () => background.delete(work),
    )
  }

  /**
   * Asks an executor what it finds until it answers; what no journalled run explains is ended. `onAnswered`: after the
   * first answer, or failure.
   */
  function adopt(executor: Executor, onAnswered: () => void): Promise<AdoptedRun[]> {
    const ask = async () => {
      const found = await executor.adopt({ signal: closing.signal })
      await Promise.all(found.map((run) => removeOrphan(executor, run)))
      return found
    }
    const onRetry = (error: unknown) => {
      log.debug('an executor does not say yet what it runs', { executor: executor.name, reason: messageOf(error) })
      onAnswered()
    }
    const { signal } = closing
    return retry(ask, { clock, rng, backoff: RETRY_BACKOFF, signal, canRetry: () => true, onRetry }).finally(onAnswered)
  }

  async function removeOrphan(executor: Executor, { runId, service, purpose, run }: AdoptedRun): Promise<void> {
    const wanted = journal.unfinished().some((record) => record.executor === executor.name && record.runId === runId)
    if (wanted && purpose === 'run') return
    if (builds.isBuilding(runId)) return
    // of an earlier process: a run that goes on has it built again
    await executor.remove(run.handle)
    const known = journal.unfinished().some((record) => buildIdOf(record.runId) === runId)
    if (!known) events.emit('execution:orphan-removed', { executor: executor.name, runId, service })
  }

  async function stop(
    service: string,
    { why, graceMs = init.graceMs }: { why: string; graceMs?: number },
  ): Promise<void> {
    const record = journal.ofService(service)
    if (record === undefined || FINAL_STATES.includes(record.state)) return
    journal.update(record.runId, { wanted: 'stop', detail: why, at: Math.floor(clock.now()) })
    const worker = workers.get(service)
    worker?.stop(why, graceMs)
    await worker?.done
  }

  /** Not before what an earlier process kept warm is removed. */
  function keepWarm(options?: { renew: boolean }): void {
    if (booted && !closing.signal.aborted) warmKeeper(options)
  }

  /** One at a time. */
  function cleanUpLogs(): Promise<void> {
    const { retainSeconds, totalBytes } = init.logs
    const beforeMs = clock.now() - retainSeconds * 1000
    cleanUp ??= removeOldLogs(disk, init.dirs.logs, { journal, isLive: (id) => workers.has(id), beforeMs, totalBytes })
      .catch((error: unknown) => log.warn('old logs could not be removed', { reason: messageOf(error) }))
      .finally(() => {
        cleanUp = undefined
      })
    return cleanUp
  }

  return {
    async boot({ signal, mayBegin } = {}) {
      const unfinished = journal.unfinished()
      const adoptions = new Map<string, Promise<AdoptedRun[]>>()
      const asked = [...executors.values()].map((executor) => {
        return new Promise<void>((resolve) => {
          const adoption = adopt(executor, resolve)
          adoptions.set(executor.name, adoption)
          track(adoption.then(() => {}).catch(() => {}))
        })
      })
      if (userIds !== undefined) track(releaseLeftOver({ userIds, journal }, { unfinished, adoptions }))
      for (const record of unfinished) {
        const adoption = adoptions.get(record.executor) ?? Promise.resolve([])
        begin(
          record,
          adoption.then((found) => found.find((run) => run.runId === record.runId && run.purpose === 'run')),
          mayBegin && ((options) => mayBegin(record.service, options)),
        )
      }
      await Promise.all(asked)
      await builds
        .open()
        .catch((error: unknown) => log.warn('what builds made cannot be read', { reason: messageOf(error) }))
      signal?.throwIfAborted()
      booted = true
      keepWarm()
      await cleanUpLogs()
      cleanUpTimer = clock.every(LOG_CLEANUP_MS, () => track(cleanUpLogs()))
    },
    run(service, grant: Grant, { replaces, evicts: offered = [] } = {}) {
      if (closing.signal.aborted) throw new UnavailableError('the node is closing')
      if (!mayBegin(service.run.kind, journal.ofService(service.id))) return []
      endEach(failing(replaces), NEWER_VERSION_RUNS)
      const [limits, leaving, older] = [init.limits(), yielding(), underWay(replaces)]
      const capacity = capacityFor(grant, { limits, runs: granted(), leaving, offered, older })
      if ('shortage' in capacity) throw new NoCapacityError(capacity.shortage)
      const { evicts } = capacity
      const runId = rng.uuid()
      const uid = userIds?.claim(runId, { within: executors.get(grant.executor)?.userIds?.() })
      const plan: RunSpec = {
        ...{ service, grant, replaces },
        ...(uid !== undefined && { uid }),
        ...(evicts.length > 0 && { evicts }),
      }
      journal.create({ runId, service: service.id, executor: grant.executor, plan, at: Math.floor(clock.now()) })
      const record = journal.get(runId)
      const ended = evicts.filter((id) => workers.get(id)?.ending === false)
      if (record !== undefined) begin(record)
      return ended
    },
    stop,
    async remove(service, options) {
      await stop(service, options)
      await disk.rm(logDirOf(init.dirs.logs, service), { recursive: true, force: true })
    },
    status(service) {
      const record = journal.ofService(service)
      return record === undefined ? undefined : { record, healthy: workers.get(service)?.healthy === true }
    },
    reviseNetworks() {
      builds.reviseNetworks()
      for (const worker of workers.values()) worker.reviseNetwork()
    },
    keepWarm,
    healthy: (service) => workers.get(service)?.healthy === true,
    failures: (service) => workers.get(service)?.failures ?? 0,
    running: () => [...workers.keys()],
    granted,
    free,
    logs(service, { tail, follow, signal }) {
      const ended = () => !workers.has(service)
      const options = { tail, follow, signal, ended, clock, disk, keep: init.logs.keep }
      return readLogs(logDirOf(init.dirs.logs, service), options)
    },
    async connect(service, portName, { signal } = {}) {
      const worker = workers.get(service)
      const port = worker?.spec.service.run.ports?.find(({ name }) => name === portName)
      if (worker === undefined) throw new NotFoundError('the service does not run here')
      if (port === undefined) throw new NotFoundError(`the service declares no port "${portName}"`)
      const until = clock.monotonic() + CONNECT_PATIENCE_MS
      while (worker.run === undefined) {
        if (!workers.has(service) || clock.monotonic() > until)
          throw new UnavailableError('the service is not running yet')
        await sleep(clock, 50, { signal })
      }
      return worker.run.connect(port.port, { signal })
    },
    async [Symbol.asyncDispose]() {
      cleanUpTimer?.cancel()
      closing.abort(new UnavailableError('the node is closing'))
      for (const worker of workers.values()) worker.close(init.stopOnClose)
      await Promise.all([...workers.values()].map((worker) => worker.done))
      await builds[Symbol.asyncDispose]()
      await Promise.all(background)
    },
  }
}
