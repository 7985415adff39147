import { raceSignal } from 'race-signal'
import { FETCH_ATTEMPTS } from '../constants.ts'
import { RunRefusedError } from '../errors.ts'
import { untilExpiry } from './expiry.ts'
import { imageDigest, isImage, type RunSpec } from './run-spec.ts'
import type { Phase, WorkerEvent } from './worker-state.ts'
import type { StepContext } from './worker-types.ts'

const WAITS_FOR_START = 'waits for a start: others are starting on this node'

/** What the executor has of this run: it is adopted, or (re)started, or its exit was missed. */
export async function waitForStart(context: StepContext): Promise<WorkerEvent> {
  const { components, init, handle, interrupt } = context
  const { record, executor, evictionsDone } = init
  if (components.journal.get(record.runId) === undefined) return { type: 'forgotten' }
  const found = init.found && (await raceSignal(init.found, interrupt))
  if (evictionsDone !== undefined) await raceSignal(evictionsDone, interrupt)
  const goesOn = found?.state === 'running' || (found?.state === 'ended' && context.spec.service.run.kind === 'task')
  if (!goesOn) await init.mayBegin?.({ signal: interrupt })
  if (found !== undefined && found.state !== 'prepared') return { type: 'adopted', run: found.run }
  if (found !== undefined) await executor.remove(handle)
  return record.state === 'running' ? { type: 'lost' } : { type: 'begin', now: components.clock.now() }
}

/** The folder of the code; undefined where it is an image that is not needed here, because the engine has it or none runs it. */
export async function fetchCode({ components, init, spec, lease, retries, interrupt }: StepContext) {
  if (lease.dir !== undefined) return lease.dir
  const { service, grant } = spec
  const { executor, record } = init
  const { runId } = record
  // an earlier process may have ended while it waited
  const waited = components.journal.get(runId)?.detail === WAITS_FOR_START
  await retries.recordChange({ state: 'fetching', ...(waited && { detail: '' }) })
  if (isImage(service)) {
    const hasImage = async () => (await executor.hasImage?.(imageDigest(service), service.author)) ?? true
    if (await retries.retryStep('fetching', Number.POSITIVE_INFINITY, hasImage)) return undefined
  }
  return retries.retryStep('fetching', FETCH_ATTEMPTS, () =>
    lease.obtain({
      signal: interrupt,
      diskBytes: grant.diskBytes,
      onProgress: ({ doneBytes, totalBytes }) =>
        components.events.emit('execution:fetch-progress', { service: service.id, runId, doneBytes, totalBytes }),
    }),
  )
}

export async function start(context: StepContext, codeDir: string | undefined) {
  const { init, handle, recorder, retries, interrupt } = context
  if (context.spec.service.run.outputs !== undefined && init.executor.keepsOutputs !== true) {
    throw new RunRefusedError(
      `what a task leaves (run.outputs) is kept with docker, in pools and in the sandbox of the host, not with ${init.executor.name}`,
    )
  }
  const { executor } = init
  await retries.retryStep('starting', Number.POSITIVE_INFINITY, async () => {
    if (await executor.isExclusive?.(context.planFor(context.spec, codeDir)))
      await raceSignal(init.endOlder(), interrupt)
  })
  let [recorded, waited] = [false, false]
  const onWait = () => {
    if (recorded) return
    recorder.transition({ detail: WAITS_FOR_START })
    waited = true
  }
  // each attempt waits for its turn: a start that waits for its engine holds up no other
  return retries.retryStep('starting', Number.POSITIVE_INFINITY, async () => {
    using _turn = await takeTurn(context, onWait)
    interrupt.throwIfAborted()
    // not before: until it has a handle, nothing of it was begun
    if (!recorded) await retries.recordChange({ state: 'starting', handle, ...(waited && { detail: '' }) })
    recorded = true
    return await executor.start(context.planFor(withUser(context), codeDir), { signal: interrupt })
  })
}

/** Resolves when the run may start. One that expires while it waits leaves the queue. */
function takeTurn(context: StepContext, onWait: () => void): Promise<Disposable> {
  const { init, spec } = context
  const of = { executor: init.executor.name, author: spec.service.author }
  const expired = new RunRefusedError('it expired before it was started')
  return untilExpiry(context, expired, (signal) => init.startQueue.enter(of, { signal, onWait }))
}

export async function journalStart(
  { handle, retries }: StepContext,
  { run }: Extract<Phase, { name: 'started' }>,
): Promise<void> {
  // the detail of an earlier start is out of date
  await retries.recordChange({ state: 'running', startedAt: run.startedAt, handle, detail: run.start ?? '' })
}

/** The decision with a user of its own, which it holds until the run is over. */
function withUser({ components, init, spec }: StepContext): RunSpec {
  const within = init.executor.userIds?.()
  const uid = components.userIds?.claim(init.record.runId, { preferred: spec.uid, within })
  return uid === undefined ? spec : { ...spec, uid }
}
