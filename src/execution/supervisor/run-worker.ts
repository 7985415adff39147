import { messageOf, UnavailableError } from '../../base/errors.ts'
import { backoffMs } from '../../base/retry.ts'
import { STEADY_MS } from '../constants.ts'
import { createCodeLease } from './code-lease.ts'
import { cleanUp } from './end-steps.ts'
import { createRunEgress } from './run-egress.ts'
import { createRunRecorder } from './run-recorder.ts'
import { logDirOf, planOf, type RunSpec, runSpecOf } from './run-spec.ts'
import { createStepRetry } from './step-retry.ts'
import { runStep } from './steps.ts'
import type { SupervisorComponents } from './types.ts'
import { isFailing, isHealthy, runOf, type WorkerEvent, type WorkerState } from './worker-state.ts'
import { nextState } from './worker-transitions.ts'
import type { RunWorker, RunWorkerInit, StepContext } from './worker-types.ts'

/** Carries out one phase after the other, until the run is over; the order of the phases is in `worker-transitions.ts`. */
export function createRunWorker(components: SupervisorComponents, init: RunWorkerInit): RunWorker {
  const { record, executor, dirs, graceMs } = init
  const { runId } = record
  const spec = runSpecOf(record)
  const interrupt = new AbortController()
  const detach = new AbortController()
  let state: WorkerState = { phase: { name: 'waiting' }, failures: 0 }

  function dispatch(event: WorkerEvent): void {
    const waitMs = (failures: number) => backoffMs(failures, init.health().backoff, components.rng)
    state = nextState({ spec, waitMs, steadyMs: STEADY_MS }, state, event)
  }

  function stop(why: string, withGraceMs: number): void {
    dispatch({ type: 'stop', why, graceMs: withGraceMs })
    interrupt.abort(new UnavailableError(why))
  }

  async function runToEnd(): Promise<void> {
    await Promise.resolve() // what began it is written as a whole or not at all
    while (state.phase.name !== 'over') {
      dispatch(await runStep(context, state.phase).catch((error: unknown) => ({ type: 'failed', error })))
    }
    await cleanUp(context).catch((error: unknown) =>
      components.log.warn('a run left something behind', { runId, reason: messageOf(error) }),
    )
  }

  const logDir = logDirOf(dirs.logs, spec.service.id)
  const recorder = createRunRecorder(components, { record, logDir, logs: init.logs })
  const egress = createRunEgress(components, { runId, spec, netcap: init.netcap, note: recorder.note })
  const planFor = (current: RunSpec, codeDir: string | undefined) =>
    planOf({
      ...{ runId, spec: current, purpose: 'run', codeDir, logsDir: dirs.logs, graceMs },
      outputs: components.outputs?.limits(current.grant.diskBytes),
    })
  const context: StepContext = {
    components,
    init,
    spec,
    handle: executor.handle(planFor(spec, undefined)),
    lease: createCodeLease(components, { service: spec.service, hasBegun: record.handle !== null }),
    recorder,
    egress,
    retries: createStepRetry(components, {
      record,
      transition: recorder.transition,
      signal: interrupt.signal,
      detach: detach.signal,
    }),
    interrupt: interrupt.signal,
    detach: detach.signal,
    planFor,
    state: () => state,
    dispatch,
  }
  if (record.wanted === 'stop') stop(record.detail ?? 'it was stopped', graceMs)
  const done = runToEnd()
  return {
    runId,
    spec,
    done,
    reviseNetwork: egress.revise,
    get healthy() {
      return isHealthy(state)
    },
    get begun() {
      return recorder.begun
    },
    get failing() {
      return isFailing(state)
    },
    get failures() {
      return isHealthy(state) ? 0 : state.failures
    },
    get run() {
      return runOf(state)
    },
    get ending() {
      return state.stop !== undefined
    },
    stop,
    close(end) {
      const closing = new UnavailableError('the node is closing')
      dispatch({ type: 'close', detach: !end })
      if (!end) detach.abort(closing)
      interrupt.abort(closing)
    },
  }
}
