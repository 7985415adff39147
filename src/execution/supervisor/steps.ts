import { build } from './build-step.ts'
import {
  backOff,
  collectOutputs,
  explainExit,
  finishStopping,
  journalEnd,
  journalFailure,
  monitor,
} from './end-steps.ts'
import { fetchCode, journalStart, start, waitForStart } from './start-steps.ts'
import type { Phase, WorkerEvent } from './worker-state.ts'
import type { StepContext } from './worker-types.ts'

/** Does what a phase is for, and answers the event that ends it. */
export async function runStep(context: StepContext, phase: Exclude<Phase, { name: 'over' }>): Promise<WorkerEvent> {
  switch (phase.name) {
    case 'waiting':
      return waitForStart(context)
    case 'fetching':
      return { type: 'fetched', codeDir: await fetchCode(context) }
    case 'building':
      return { type: 'built', codeDir: await build(context, phase.codeDir) }
    case 'starting':
      return { type: 'started', run: await start(context, phase.codeDir) }
    case 'started':
      await journalStart(context, phase)
      return { type: 'journalled' }
    case 'running':
      return monitor(context, phase.run)
    case 'exited':
      return explainExit(context, phase)
    case 'collecting':
      await collectOutputs(context, phase.run)
      return { type: 'collected' }
    case 'backing-off':
      return backOff(context, phase)
    case 'stopping':
      await finishStopping(context, phase.why)
      return { type: 'removed' }
    case 'ended':
      await journalEnd(context, phase.change)
      return { type: 'journalled' }
    case 'failed':
      await journalFailure(context, phase.error)
      return { type: 'journalled' }
  }
}
