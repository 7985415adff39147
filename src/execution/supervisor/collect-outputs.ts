import { deadline } from '../../base/clock.ts'
import { isDiskFull, isRetryable, messageOf, TimeoutError } from '../../base/errors.ts'
import { retry } from '../../base/retry.ts'
import { COLLECT_MS, RETRY_BACKOFF } from '../constants.ts'
import { type LeftOutputs, OUTPUTS_GONE } from '../outputs.ts'
import type { Run } from '../types.ts'
import type { StepContext } from './worker-types.ts'

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
  const take = async () => keeper.keep(task, await leftBy(run, spec.service.run.outputs ?? [], signal), { signal })
  const canRetry = (error: unknown) => isRetryable(error) || isDiskFull(error)
  try {
    recorder.note(await retry(take, { clock, rng, backoff: RETRY_BACKOFF, signal, canRetry }))
  } catch (error) {
    detach.throwIfAborted()
    const reason = messageOf(error)
    log.warn('what a task left could not be kept', { service: spec.service.id, runId, reason })
    recorder.note(await keeper.keep(task, { problem: `could not be kept: ${reason}` }, { signal: detach }))
  }
}

async function leftBy(run: Run | undefined, paths: readonly string[], signal: AbortSignal): Promise<LeftOutputs> {
  return (await run?.outputs?.(paths, { signal })) ?? { problem: OUTPUTS_GONE }
}
