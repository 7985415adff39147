import { raceSignal } from 'race-signal'
import { deadline, sleep } from '../../base/clock.ts'
import { isDiskFull, isRetryable, messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import { retry } from '../../base/retry.ts'
import { COLLECT_MS, RETRY_BACKOFF } from '../constants.ts'
import { BuildFailedError, RunRefusedError } from '../errors.ts'
import { FINAL_STATES, type RunChange } from '../journal.ts'
import { OUTPUTS_GONE, type TaskOutputs } from '../outputs.ts'
import type { Run } from '../types.ts'
import { afterMs } from './checks/health-check.ts'
import { withFailureDetail } from './failure-detail.ts'
import { notHealthyText } from './restart-policy.ts'
import { monitorRun } from './run-monitor.ts'
import { logDirOf } from './run-spec.ts'
import { meterUsage } from './usage-meter.ts'
import { type Phase, runOf, stopRequestOf, type WorkerEvent } from './worker-state.ts'
import type { StepContext } from './worker-types.ts'

/** So long is waited for what the executor knows of a run that has failed. */
const FACTS_MS = 2000

export async function monitor(context: StepContext, run: Run): Promise<WorkerEvent> {
  const { components, init, spec, recorder, interrupt, detach, state, dispatch } = context
  const { clock } = components
  const { executor, graceMs, health } = init
  // before now on the wall clock (it was adopted), from now on the monotonic clock
  const startedAt = clock.monotonic() - Math.max(0, clock.now() - run.startedAt)
  const updates = spec.replaces !== undefined && spec.service.run.kind !== 'task'
  const { deadlineMs } = health()
  using _deadline = updates ? afterMs(clock, deadlineMs, () => giveUpUpdate(context, deadlineMs)) : undefined
  const { runId } = init.record
  const usage = meterUsage(components, {
    ...{ runId, service: spec.service.id, start: recorder.restarts, detach },
    run: () => runOf(state()) ?? run,
  })
  const end = await monitorRun(components, {
    runId,
    spec,
    executor,
    run,
    egress: context.egress,
    graceMs,
    health,
    detach,
    interrupt,
    stopRequest: () => stopRequestOf(state(), graceMs),
    onExpired: () => dispatch({ type: 'expired', why: 'it expired', graceMs }),
    onReconnect: (found) => dispatch({ type: 'reconnected', run: found }),
    onHealthy(healthy) {
      dispatch({ type: healthy ? 'healthy' : 'unhealthy' })
      if (healthy) init.onHealthy()
    },
  }).finally(() => usage[Symbol.dispose]())
  usage.ended(end)
  return { type: 'exited', end, ranMs: clock.monotonic() - startedAt }
}

/** The older version goes on: an update has a limited time to become healthy. */
function giveUpUpdate({ components, init, spec, state, dispatch }: StepContext, deadlineMs: number): void {
  const { phase } = state()
  if (phase.name !== 'running' || phase.wasHealthy || !init.updates()) return
  dispatch({ type: 'gave-up', why: notHealthyText(spec, deadlineMs) })
  phase.run.stop({ graceMs: init.graceMs }).catch((error: unknown) => {
    const reason = messageOf(error)
    components.log.warn('an update that failed could not be asked to stop', { runId: init.record.runId, reason })
  })
}

export async function explainExit(
  { components, init, spec, planFor, detach }: StepContext,
  { end, wasHealthy }: Extract<Phase, { name: 'exited' }>,
): Promise<WorkerEvent> {
  /** An engine that does not answer keeps nobody from reading why the run failed. */
  const hasData = async () => {
    using limit = deadline(components.clock, FACTS_MS, new TimeoutError('its engine does not answer'), detach)
    const asked = init.executor.isExclusive?.(planFor(spec, undefined))
    return asked && (await raceSignal(asked, limit.signal).catch(() => false))
  }
  const facts = async () => ({ network: spec.grant.network.mode, data: await hasData() })
  const explained = await withFailureDetail(
    components,
    { logDir: logDirOf(init.dirs.logs, spec.service.id), facts },
    end,
  )
  return { type: 'explained', end: explained, updates: !wasHealthy && init.updates() }
}

export async function backOff(
  { components, init, handle, recorder, retries, interrupt }: StepContext,
  { change, waitMs }: Extract<Phase, { name: 'backing-off' }>,
): Promise<WorkerEvent> {
  const { clock } = components
  await retries.recordChange({ ...change, restarts: recorder.restarts + 1 })
  const remove = () => init.executor.remove(handle)
  await retries.retryStep('removing what is left of it', Number.POSITIVE_INFINITY, remove)
  await sleep(clock, waitMs, { signal: interrupt })
  return { type: 'begin', now: clock.now() }
}

/**
 * Takes what a task left that has ended with 0. The journal says meanwhile that it runs, so that a node which is killed does
 * this again. Whatever comes of it, the task is done: that it left nothing is kept beside it.
 */
export async function collectOutputs(context: StepContext, run: Run | undefined): Promise<void> {
  const { components, init, spec, recorder, detach } = context
  const { clock, rng, log, outputs: keeper } = components
  const { runId } = init.record
  if (keeper === undefined) return
  const task = { service: spec.service, runId, diskBytes: spec.grant.diskBytes }
  using limit = deadline(clock, COLLECT_MS, new TimeoutError('taking them took too long'), detach)
  const { signal } = limit
  const take = async () => {
    const left = await leftBy(run, spec.service.run.outputs ?? [], signal)
    // it waits for its turn as long as that takes
    return keeper.keep(task, left, { signal: detach })
  }
  const canRetry = (error: unknown) => isRetryable(error) || isDiskFull(error)
  try {
    recorder.note(await retry(take, { clock, rng, backoff: RETRY_BACKOFF, signal, canRetry }))
  } catch (error) {
    detach.throwIfAborted()
    const reason = messageOf(error)
    log.warn('what a task left could not be kept', { service: spec.service.id, runId, reason })
    const noting = keeper.keep(task, { problem: `could not be kept: ${reason}` }, { signal: detach })
    recorder.note(await noting.catch((failure: unknown) => `no results are kept: ${messageOf(failure)}`))
    detach.throwIfAborted()
  }
}

async function leftBy(run: Run | undefined, paths: readonly string[], signal: AbortSignal): Promise<TaskOutputs> {
  return (await run?.outputs?.(paths, { signal })) ?? { problem: OUTPUTS_GONE }
}

export async function journalEnd({ init, retries }: StepContext, change: RunChange): Promise<void> {
  await retries.recordChange(change)
  if (change.state === 'exited' && change.exitCode === 0) init.onHealthy()
}

export async function journalFailure({ components, init, spec, retries }: StepContext, error: unknown): Promise<void> {
  const refused = error instanceof RunRefusedError
  const expected = refused || error instanceof BuildFailedError || error instanceof UnavailableError
  const reason = messageOf(error)
  if (!expected) components.log.error('a run failed', { runId: init.record.runId, service: spec.service.id, reason })
  await retries.recordChange({ state: refused ? 'refused' : 'failed', detail: reason })
}

/** Nothing of it runs any more when the journal says so; an engine that is away is waited for. */
export async function finishStopping(context: StepContext, why: string): Promise<void> {
  const { components, init, handle, retries, detach, state } = context
  const { clock, rng, log } = components
  const stop = async () => {
    await init.executor.remove(handle)
    await retries.recordChange({ state: 'stopped', detail: why })
  }
  await retry(stop, {
    clock,
    rng,
    backoff: RETRY_BACKOFF,
    signal: detach,
    canRetry: () => state().close === undefined,
    onRetry(error) {
      const reason = messageOf(error)
      log.warn('a stopped run could not be removed yet', { runId: init.record.runId, reason })
    },
  })
}

/**
 * Leaves nothing of the run. Where its executor is away, or cannot remove it, that is done as soon as it can, while the node
 * runs: its code and its user stay its own until then.
 */
export async function cleanUp(context: StepContext): Promise<void> {
  const { components, init, lease, recorder } = context
  const { clock, rng, log } = components
  const { closing } = init
  let isLeft = false
  try {
    await removeRun(context)
  } catch (error) {
    log.warn('a run left something behind', { runId: init.record.runId, reason: messageOf(error) })
    isLeft = !closing.aborted
  } finally {
    await recorder[Symbol.asyncDispose]()
  }
  const release = () => lease[Symbol.asyncDispose]()
  if (!isLeft) return release()
  const again = { clock, rng, backoff: RETRY_BACKOFF, signal: closing, canRetry: () => true }
  // an executor that does not answer keeps no node from closing
  const removed = retry(() => raceSignal(removeRun(context), closing), again)
  init.later(removed.catch(() => {}).finally(release))
}

async function removeRun({ components, init, spec, handle, detach }: StepContext): Promise<void> {
  const { journal, userIds } = components
  const { runId } = init.record
  if (!detach.aborted) await init.executor.remove(handle)
  const state = journal.get(runId)?.state
  if (state !== undefined && !FINAL_STATES.includes(state)) return
  userIds?.release(runId)
  if (state !== undefined && spec.service.run.build !== undefined) await init.builds.release(runId)
}
