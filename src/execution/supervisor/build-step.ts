import { anySignal } from 'any-signal'
import { atWallTime } from '../../base/clock.ts'
import type { ObtainedBuild } from '../builds/types.ts'
import { FETCH_ATTEMPTS } from '../constants.ts'
import { BuildFailedError } from '../errors.ts'
import { planOf } from './run-spec.ts'
import type { StepContext } from './worker-types.ts'

const ORIGINS: Readonly<Record<ObtainedBuild['origin'], string | undefined>> = {
  built: undefined,
  held: undefined,
  shared: 'the output of the same build for another service is used',
  cached: 'the output of an earlier build is used',
}

/** The folder of the built code: what an equal build has made before, or makes now for another run, is used again. */
export async function build(context: StepContext, codeDir: string): Promise<string> {
  const { components, init, spec, recorder, retries, interrupt, dispatch } = context
  const { executor, builds, dirs, record } = init
  const { runId } = record
  const plan = planOf({ runId, spec, purpose: 'build', codeDir: undefined, logsDir: dirs.logs, graceMs: 0 })
  const expiry = new AbortController()
  using _expiry = atWallTime(components.clock, spec.service.expires * 1000, () => {
    dispatch({ type: 'expired', why: 'it expired', graceMs: init.graceMs })
    expiry.abort(new BuildFailedError('it expired before it was built'))
  })
  await retries.recordChange({ state: 'building' })
  const signal = anySignal([interrupt, expiry.signal])
  const obtain = () =>
    builds.obtain({ runId, executor, plan, code: spec.service.code, codeDir, signal, note: recorder.note })
  const { dir, origin } = await retries.retryStep('building', FETCH_ATTEMPTS, obtain).finally(() => signal.clear())
  if (ORIGINS[origin] !== undefined) await retries.recordChange({ state: 'building', detail: ORIGINS[origin] })
  return dir
}
