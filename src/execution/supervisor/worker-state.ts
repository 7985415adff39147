import type { RunChange } from '../journal.ts'
import type { Run } from '../types.ts'
import type { StopRequest } from './restart-policy.ts'
import type { MonitoredEnd } from './types.ts'

/** What the worker of one run does now. The comment says what ends the phase. */
export type Phase =
  /** the executor has reported what it runs, and the services that are evicted for this one have ended */
  | { readonly name: 'waiting' }
  /** its code is here */
  | { readonly name: 'fetching' }
  /** its build has succeeded */
  | { readonly name: 'building'; readonly codeDir: string }
  /** the executor has started it */
  | { readonly name: 'starting'; readonly codeDir: string | undefined }
  /** the journal says that it runs */
  | { readonly name: 'started'; readonly run: Run }
  /** it exits */
  | RunningPhase
  /** its last lines are read; `run`: absent where the executor does not know it any more */
  | {
      readonly name: 'exited'
      readonly run?: Run | undefined
      readonly end: MonitoredEnd
      readonly ranMs: number
      readonly wasHealthy: boolean
      readonly gaveUp: string | undefined
    }
  /** what it left is kept, or cannot be */
  | { readonly name: 'collecting'; readonly run?: Run | undefined; readonly change: RunChange }
  /** the journal says so, and the back-off is over: it starts again */
  | { readonly name: 'backing-off'; readonly change: RunChange; readonly waitMs: number }
  /** the executor has removed it */
  | { readonly name: 'stopping'; readonly why: string }
  /** the journal has its final state */
  | { readonly name: 'ended'; readonly change: RunChange }
  | { readonly name: 'failed'; readonly error: unknown }
  | { readonly name: 'over' }

export type RunningPhase = {
  readonly name: 'running'
  readonly run: Run
  readonly healthy: boolean
  /** since this start */
  readonly wasHealthy: boolean
  /** why an update that runs is ended, while the version before goes on */
  readonly gaveUp?: string | undefined
}

export type WorkerState = {
  readonly phase: Phase
  /** It is to end: it was stopped, or it has expired. */
  readonly stop?: StopRequest | undefined
  /** The node closes. `detach`: the run goes on, and the next start of the node adopts it. */
  readonly close?: 'detach' | 'end' | undefined
  /** exits in a row, without a steady run between them */
  readonly failures: number
}

/** The first three come from outside, in any phase; the others are what the phases end with, or report. */
export type WorkerEvent =
  | ({ readonly type: 'stop' | 'expired' } & StopRequest)
  | { readonly type: 'close'; readonly detach: boolean }
  /** its decision was not journalled: the transaction was rolled back */
  | { readonly type: 'forgotten' }
  | { readonly type: 'adopted' | 'started' | 'reconnected'; readonly run: Run }
  /** the journal says that it runs, and the executor does not know it */
  | { readonly type: 'lost' }
  | { readonly type: 'begin'; readonly now: number }
  | { readonly type: 'fetched'; readonly codeDir: string | undefined }
  | { readonly type: 'built'; readonly codeDir: string }
  | { readonly type: 'healthy' | 'unhealthy' }
  | { readonly type: 'gave-up'; readonly why: string }
  | { readonly type: 'exited'; readonly end: MonitoredEnd; readonly ranMs: number }
  /** `updates`: the version before is healthy, and ends when this one is */
  | { readonly type: 'explained'; readonly end: MonitoredEnd; readonly updates: boolean }
  | { readonly type: 'collected' }
  | { readonly type: 'journalled' }
  | { readonly type: 'removed' }
  | { readonly type: 'failed'; readonly error: unknown }

/** The run to talk to, where there is one. */
export function runOf({ phase }: WorkerState): Run | undefined {
  return phase.name === 'running' ? phase.run : undefined
}

export function isHealthy({ phase }: WorkerState): boolean {
  return phase.name === 'running' && phase.healthy
}

/** It has exited by itself, and was not healthy since. */
export function isFailing(state: WorkerState): boolean {
  return state.failures > 0 && !isHealthy(state)
}

/** Why a run that goes on is to end now. */
export function stopRequestOf({ stop, close }: WorkerState, graceMs: number): StopRequest | undefined {
  return stop ?? (close === 'end' ? { why: 'the node was closed', graceMs } : undefined)
}
