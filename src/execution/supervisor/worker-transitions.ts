import { GONE_END, stateAfterEnd } from './restart-policy.ts'
import { isImage, type RunSpec } from './run-spec.ts'
import type { Phase, RunningPhase, WorkerEvent, WorkerState } from './worker-state.ts'

export type WorkerContext = {
  readonly spec: RunSpec
  /** the back-off before the next start, after so many exits in a row */
  waitMs(failures: number): number
  /** after a run of this length the back-off begins again */
  readonly steadyMs: number
}

const OVER: Phase = { name: 'over' }

/** The state after an event. An event that the phase does not know changes nothing. */
export function nextState(context: WorkerContext, state: WorkerState, event: WorkerEvent): WorkerState {
  switch (event.type) {
    case 'stop':
      return { ...state, stop: { why: event.why, graceMs: event.graceMs } }
    case 'expired':
      return { ...state, stop: state.stop ?? { why: event.why, graceMs: event.graceMs } }
    case 'close':
      return { ...state, close: event.detach ? 'detach' : (state.close ?? 'end') }
    case 'failed':
      return { ...state, phase: afterFailure(state, event.error) }
    case 'explained':
      return state.phase.name === 'exited' ? afterExit(context, state, state.phase, event) : state
    default:
      return { ...state, phase: nextPhase(context.spec, state.phase, event) }
  }
}

type PhaseEvent = Exclude<WorkerEvent, { type: 'stop' | 'expired' | 'close' | 'failed' | 'explained' }>

function nextPhase(spec: RunSpec, phase: Phase, event: PhaseEvent): Phase {
  switch (phase.name) {
    case 'waiting':
      if (event.type === 'forgotten') return OVER
      if (event.type === 'adopted') return { name: 'started', run: event.run }
      if (event.type === 'lost') {
        return { name: 'exited', end: GONE_END, ranMs: 0, wasHealthy: false, gaveUp: undefined }
      }
      return event.type === 'begin' ? firstPhase(spec, event.now) : phase
    case 'backing-off':
      return event.type === 'begin' ? firstPhase(spec, event.now) : phase
    case 'fetching':
      if (event.type !== 'fetched') return phase
      return phaseAfterFetch(spec, event.codeDir)
    case 'building':
      return event.type === 'built' ? { name: 'starting', codeDir: event.codeDir } : phase
    case 'starting':
      return event.type === 'started' ? { name: 'started', run: event.run } : phase
    case 'started':
      if (event.type !== 'journalled') return phase
      return { name: 'running', run: phase.run, healthy: false, wasHealthy: false }
    case 'running':
      return whileRunning(phase, event)
    case 'stopping':
      return event.type === 'removed' ? OVER : phase
    case 'ended':
    case 'failed':
      return event.type === 'journalled' ? OVER : phase
    case 'collecting':
      return event.type === 'collected' ? { name: 'ended', change: phase.change } : phase
    case 'exited':
    case 'over':
      return phase
  }
}

function firstPhase(spec: RunSpec, now: number): Phase {
  const { service } = spec
  if (service.expires * 1000 <= now) return { name: 'ended', change: { state: 'stopped', detail: 'it expired' } }
  return { name: 'fetching' }
}

/** An image is built already. */
function phaseAfterFetch({ service }: RunSpec, codeDir: string | undefined): Phase {
  const builds = codeDir !== undefined && service.run.build !== undefined && !isImage(service)
  return builds ? { name: 'building', codeDir } : { name: 'starting', codeDir }
}

function whileRunning(phase: RunningPhase, event: PhaseEvent): Phase {
  switch (event.type) {
    case 'reconnected':
      return { ...phase, run: event.run }
    case 'healthy':
      return { ...phase, healthy: true, wasHealthy: true }
    case 'unhealthy':
      return { ...phase, healthy: false }
    case 'gave-up':
      return { ...phase, gaveUp: event.why }
    case 'exited': {
      const { run, wasHealthy, gaveUp } = phase
      return { name: 'exited', run, end: event.end, ranMs: event.ranMs, wasHealthy, gaveUp }
    }
    default:
      return phase
  }
}

function afterExit(
  { spec, steadyMs, waitMs }: WorkerContext,
  state: WorkerState,
  { run, ranMs, wasHealthy, gaveUp }: Extract<Phase, { name: 'exited' }>,
  { end, updates }: Extract<WorkerEvent, { type: 'explained' }>,
): WorkerState {
  const failures = ranMs >= steadyMs ? 0 : state.failures
  const { again, ...change } = stateAfterEnd(spec, end, {
    stop: state.stop,
    closes: state.close !== undefined,
    gaveUp,
    failedUpdate: !wasHealthy && updates,
    waitMs: () => waitMs(failures),
  })
  if (again === undefined) {
    const leaves = spec.service.run.outputs !== undefined && change.state === 'exited' && change.exitCode === 0
    const phase: Phase = leaves ? { name: 'collecting', run, change } : { name: 'ended', change }
    return { ...state, failures, phase }
  }
  return { ...state, failures: failures + 1, phase: { name: 'backing-off', change, waitMs: again } }
}

/** What was interrupted by a stop ends as stopped, what was interrupted by the node's end is left to its next start. */
function afterFailure({ phase, stop, close }: WorkerState, error: unknown): Phase {
  const final = phase.name === 'failed' || phase.name === 'stopping' || phase.name === 'over'
  if (final || close === 'detach') return OVER
  if (stop !== undefined) return { name: 'stopping', why: stop.why }
  return close === 'end' ? OVER : { name: 'failed', error }
}
