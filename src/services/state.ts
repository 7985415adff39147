import type { RunState } from '../base/run-record.ts'
import { FINAL_STATES } from '../execution/index.ts'
import type { ServiceState } from './types.ts'

/** What is known of one service, as far as its state depends on it. Times are seconds. */
export type StateFacts = {
  readonly now: number
  readonly expires: number
  readonly stopped: boolean
  /** by its author: superseded, or stopped everywhere */
  readonly over?: boolean | undefined
  readonly kind: 'task' | 'service'
  /** it asks other nodes whether its run is wanted */
  readonly claiming?: boolean | undefined
  /** made here: announced, and not decided about */
  readonly published: boolean
  readonly verdict?: { readonly run: boolean; readonly redirect: boolean; readonly parked: boolean } | undefined
  readonly run?:
    | { readonly state: RunState; readonly exitCode?: number | undefined; readonly healthy: boolean }
    | undefined
}

/**
 * The state of a service on this node. The run's state outweighs the verdict that started it. `running` is
 * what is healthy; before, and while it is started again, it is `accepted`. A task is `accepted` until it is `done`.
 */
export function serviceState(facts: StateFacts): ServiceState {
  const { run, verdict } = facts
  if (run?.state === 'exited') return run.exitCode === 0 ? 'done' : 'failed'
  // a service that was stopped or superseded still runs until its run has ended
  if (run !== undefined && !isFinal(run.state)) return run.state === 'running' && run.healthy ? 'running' : 'accepted'
  // what ended by itself before it was superseded or stopped is reported as it ended
  if (facts.over && (run?.state === 'failed' || run?.state === 'refused')) return run.state
  if (facts.stopped) return 'stopped'
  if (facts.expires <= facts.now) return 'expired'
  if (facts.claiming) return 'accepted'
  // evicted, or ended by a policy that may change again: it waits for another start
  if (run?.state === 'stopped' && verdict?.parked === true) return 'parked'
  if (run?.state === 'failed' || run?.state === 'stopped' || run?.state === 'refused') return run.state
  if (verdict === undefined) return facts.published ? 'published' : 'deciding'
  if (verdict.run) return 'accepted'
  if (verdict.parked) return 'parked'
  return verdict.redirect ? 'redirected' : 'refused'
}

function isFinal(state: RunState): boolean {
  return FINAL_STATES.includes(state)
}
