import { rm } from 'node:fs/promises'
import { sleep } from '../../base/clock.ts'
import { messageOf, UnavailableError } from '../../base/errors.ts'
import { backoffMs } from '../../base/retry.ts'
import type { RunRecord } from '../../base/run-record.ts'
import { FETCH_ATTEMPTS, RESTART_BACKOFF, RETRY_BACKOFF, STEADY_MS, UPDATE_DEADLINE_TIMES } from '../constants.ts'
import { RunRefusedError } from '../errors.ts'
import { FINAL_STATES } from '../journal.ts'
import type { AdoptedRun, Executor, Run, RunEnd } from '../types.ts'
import { aborted } from './aborted.ts'
import { afterEnd, type Ending, GONE, notHealthyText } from './after-end.ts'
import { BuildFailedError, buildCode, buildDir } from './build.ts'
import { explainedEnd } from './explain.ts'
import { afterMs } from './health-check.ts'
import { monitorRun } from './run-monitor.ts'
import { createRunRecorder } from './run-recorder.ts'
import { isImage, logDirOf, planOf, type RunSpec, runSpecOf } from './run-spec.ts'
import { createStepRetry } from './step-retry.ts'
import type { ObtainedCode, SupervisorComponents, SupervisorInit } from './types.ts'

/** One service's run on this node, from its decision to its end, over restarts. */
export interface RunWorker {
  readonly runId: string
  readonly spec: RunSpec
  readonly healthy: boolean
  /** It has ended by itself, and was not healthy for long since. */
  readonly failing: boolean
  readonly run: Run | undefined
  /** A stop of it was asked for. */
  readonly ending: boolean
  /** Resolves when the run has reached a final state, or the node lets go of it. Never rejects. */
  readonly done: Promise<void>
  /** The wish is journalled already. */
  stop(why: string, graceMs: number): void
  /** Lets go of the run (it goes on) or ends it with the node. */
  close(end: boolean): void
}

export type RunWorkerInit = SupervisorInit & {
  readonly record: RunRecord
  readonly executor: Executor
  /** what the executor found of this run when the node started */
  readonly found: Promise<AdoptedRun | undefined>
  /** resolves when those that have to end before it begins have ended */
  readonly evictionsDone: Promise<void> | undefined
  onHealthy(): void
  /** Is there an older version that is healthy, and ends when this one is? */
  updates(): boolean
}

export function createRunWorker(components: SupervisorComponents, init: RunWorkerInit): RunWorker {
  const { clock, rng, log, events, code } = components
  const { record, executor, dirs } = init
  const { runId } = record
  const spec = runSpecOf(record)
  const { service } = spec
  const recorder = createRunRecorder(components, { record, logDir: logDirOf(dirs.logs, service.id), logs: init.logs })
  const { transition } = recorder
  const planFor = (current: RunSpec, codeDir: string | undefined) =>
    planOf({ runId, spec: current, purpose: 'run', codeDir, logsDir: dirs.logs, graceMs: init.graceMs })
  const handle = executor.handle(planFor(spec, undefined))
  /** Ends fetching, building, starting and back-offs: the run is to end, or the node closes. */
  const interrupt = new AbortController()
  const { signal } = interrupt
  /** Ends everything, the waiting for a run included: the node closes and leaves it running. */
  const detach = new AbortController()
  const { recordChange, retryStep } = createStepRetry(components, { record, transition, signal, detach: detach.signal })
  let ending: Ending | undefined
  let closed = false
  let run: Run | undefined
  let healthy = false
  /** since it began last */
  let beenHealthy = false
  /** why an update that runs is ended, while the version before goes on */
  let gaveUp: string | undefined
  let lease: ObtainedCode | undefined
  let cleanedUp = false
  /** in a row, without a steady run between them */
  let failures = 0

  /** The decision with a user of its own, which it holds until the run is over. */
  const withUser = (): RunSpec => {
    const uid = components.userIds?.claim(runId, { preferred: spec.uid, within: executor.userIds?.() })
    return uid === undefined ? spec : { ...spec, uid }
  }

  async function obtain(): Promise<string | undefined> {
    if (isImage(service)) return undefined
    if (lease === undefined) {
      await recordChange({ state: 'fetching' })
      const onProgress = (progress: { doneBytes: number; totalBytes: number }) =>
        events.emit('execution:fetch-progress', { service: service.id, runId, ...progress })
      lease = await retryStep('fetching', FETCH_ATTEMPTS, () =>
        code.obtain(service, { signal, diskBytes: spec.grant.diskBytes, onProgress }),
      )
    }
    const { dir } = lease
    if (service.run.build === undefined) return dir
    await recordChange({ state: 'building' })
    const build = () => buildCode({ clock, executor, runId, spec: withUser(), codeDir: dir, dirs, signal })
    return retryStep('building', FETCH_ATTEMPTS, build)
  }

  async function start(codeDir: string | undefined): Promise<Run> {
    await recordChange({ state: 'starting', handle })
    return retryStep('starting', Number.POSITIVE_INFINITY, () =>
      executor.start(planFor(withUser(), codeDir), { signal }),
    )
  }

  async function monitorUpdate(begun: Run): Promise<RunEnd> {
    if (spec.replaces === undefined || service.run.kind === 'task') return monitor(begun)
    using _deadline = afterMs(clock, UPDATE_DEADLINE_TIMES * init.healthyMs(), giveUp)
    return await monitor(begun)
  }

  function monitor(begun: Run): Promise<RunEnd> {
    return monitorRun(components, {
      runId,
      spec,
      executor,
      run: begun,
      graceMs: init.graceMs,
      healthyMs: init.healthyMs,
      detach: detach.signal,
      interrupted: signal,
      ending: () =>
        ending ??
        (closed && !detach.signal.aborted ? { why: 'the node was closed', graceMs: init.graceMs } : undefined),
      onExpired: (why) => {
        ending ??= { why, graceMs: init.graceMs }
      },
      onRun: (current) => {
        run = current
      },
      onHealthy: (isHealthy) => {
        healthy = isHealthy
        if (!isHealthy) return
        beenHealthy = true
        init.onHealthy()
      },
    })
  }

  /** After an end: true when it is to begin again. */
  async function handleExit(end: RunEnd, ranMs: number): Promise<boolean> {
    const told = await explainedEnd(components, logDirOf(dirs.logs, service.id), end)
    if (ranMs >= STEADY_MS) failures = 0
    const { again, ...change } = afterEnd(spec, told, {
      ending,
      closed,
      gaveUp,
      failedUpdate: !beenHealthy && init.updates(),
      waitMs: () => backoffMs(failures++, RESTART_BACKOFF, rng),
    })
    await recordChange(again === undefined ? change : { ...change, restarts: recorder.restarts + 1 })
    if (change.state === 'exited' && change.exitCode === 0) init.onHealthy()
    if (again === undefined) return false
    await retryStep('removing what is left of it', Number.POSITIVE_INFINITY, () => executor.remove(handle))
    await sleep(clock, again, { signal })
    return true
  }

  /** The older version goes on: an update has a limited time to become healthy. */
  function giveUp(): void {
    if (beenHealthy || !init.updates()) return
    gaveUp = notHealthyText(spec, UPDATE_DEADLINE_TIMES * init.healthyMs())
    run?.stop({ graceMs: init.graceMs }).catch((error: unknown) => {
      log.warn('an update that failed could not be asked to stop', { runId, reason: messageOf(error) })
    })
  }

  async function runLoop(): Promise<void> {
    await Promise.resolve() // what began it is written as a whole or not at all
    if (components.journal.get(runId) === undefined) return
    const found = await Promise.race([init.found, aborted(signal)])
    if (init.evictionsDone !== undefined) await Promise.race([init.evictionsDone, aborted(signal)])
    let adopted = found === undefined || found.state === 'prepared' ? undefined : found.run
    if (found?.state === 'prepared') await executor.remove(handle)
    if (adopted === undefined && record.state === 'running' && !(await handleExit(GONE, 0))) return
    for (;;) {
      if (adopted === undefined) {
        if (service.expires * 1000 <= clock.now()) return await recordChange({ state: 'stopped', detail: 'it expired' })
        adopted = await start(await obtain())
      } else {
        holdCode()
      }
      const { startedAt } = adopted
      // what was said of the start before this one is over
      await recordChange({ state: 'running', startedAt, handle, detail: '' })
      // before now on the wall clock (it was adopted), from now on the one that nobody sets
      const before = clock.monotonic() - Math.max(0, clock.now() - startedAt)
      beenHealthy = false
      const end = await monitorUpdate(adopted)
      adopted = undefined
      if (!(await handleExit(end, clock.monotonic() - before))) return
    }
  }

  /** The store must not take away what an adopted run uses. Where that takes a network, the run does not wait for it. */
  function holdCode(): void {
    if (isImage(service) || lease !== undefined) return
    code.obtain(service, { signal: detach.signal, diskBytes: Number.POSITIVE_INFINITY, onProgress: () => {} }).then(
      (late) => {
        if (lease === undefined && !cleanedUp) lease = late
        else void late.release()
      },
      () => {},
    )
  }

  async function runToEnd(): Promise<void> {
    try {
      await runLoop()
    } catch (error) {
      if (detach.signal.aborted) return
      if (ending !== undefined) await finishStopping(ending.why)
      else if (!closed) await fail(error).catch(() => {})
    } finally {
      await cleanUp().catch((error: unknown) =>
        log.warn('a run left something behind', { runId, reason: messageOf(error) }),
      )
    }
  }

  /** Nothing of it runs any more when the journal says so; an engine that is away is waited for. */
  async function finishStopping(why: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await executor.remove(handle)
        return await recordChange({ state: 'stopped', detail: why })
      } catch (error) {
        log.warn('a stopped run could not be removed yet', { runId, reason: messageOf(error) })
        if (closed) return
        await sleep(clock, backoffMs(attempt, RETRY_BACKOFF, rng), { signal: detach.signal }).catch(() => {})
        if (detach.signal.aborted) return
      }
    }
  }

  async function fail(error: unknown): Promise<void> {
    const known =
      error instanceof RunRefusedError || error instanceof BuildFailedError || error instanceof UnavailableError
    if (!known) log.error('a run failed', { runId, service: service.id, reason: messageOf(error) })
    await recordChange({ state: error instanceof RunRefusedError ? 'refused' : 'failed', detail: messageOf(error) })
  }

  async function cleanUp(): Promise<void> {
    try {
      if (!detach.signal.aborted) await executor.remove(handle)
      const state = components.journal.get(runId)?.state
      if (state !== undefined && FINAL_STATES.includes(state)) {
        await rm(buildDir(dirs.builds, runId), { recursive: true, force: true })
      }
    } finally {
      cleanedUp = true
      await lease?.release()
      await recorder[Symbol.asyncDispose]()
    }
  }

  if (record.wanted === 'stop') {
    ending = { why: record.detail ?? 'it was stopped', graceMs: init.graceMs }
    interrupt.abort(ending)
  }
  const done = runToEnd()
  return {
    runId,
    spec,
    done,
    get healthy() {
      return healthy
    },
    get failing() {
      return failures > 0 && !healthy
    },
    get run() {
      return run
    },
    get ending() {
      return ending !== undefined
    },
    stop(why, graceMs) {
      ending = { why, graceMs }
      interrupt.abort(ending)
    },
    close(end) {
      closed = true
      if (!end) detach.abort(new UnavailableError('the node is closing'))
      interrupt.abort(new UnavailableError('the node is closing'))
    },
  }
}
