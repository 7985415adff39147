import type { ObtainedBuild } from '../builds/types.ts'
import { FETCH_ATTEMPTS } from '../constants.ts'
import { BuildFailedError } from '../errors.ts'
import { untilExpiry } from './expiry.ts'
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
  const { init, spec, recorder, retries } = context
  const { executor, builds, dirs, record } = init
  const { runId } = record
  const plan = planOf({ runId, spec, purpose: 'build', codeDir: undefined, logsDir: dirs.logs, graceMs: 0 })
  await retries.recordChange({ state: 'building' })
  const obtain = (signal: AbortSignal) =>
    builds.obtain({ runId, executor, plan, code: spec.service.code, codeDir, signal, note: recorder.note })
  const expired = new BuildFailedError('it expired before it was built')
  const { dir, origin } = await untilExpiry(context, expired, (signal) =>
    retries.retryStep('building', FETCH_ATTEMPTS, () => obtain(signal)),
  )
  if (ORIGINS[origin] !== undefined) await retries.recordChange({ state: 'building', detail: ORIGINS[origin] })
  return dir
}
