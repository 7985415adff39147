import { formatMs, formatSeconds } from '../../base/format.ts'
import type { RunChange } from '../journal.ts'
import type { RunEnd } from '../types.ts'
import { checkText } from './checks/run-check.ts'
import { type RunSpec, restarts, timeLimitText } from './run-spec.ts'
import type { MonitoredEnd } from './types.ts'

/** Why a run that goes on, or would start again, is to end. */
export type StopRequest = { readonly why: string; readonly graceMs: number }

/** The end of a run that its executor does not know any more. */
export const GONE_END: RunEnd = {
  exitCode: 137,
  reason: 'exit',
  detail: 'the run is gone: the machine or its engine stopped',
}

export type EndFacts = {
  readonly stop: StopRequest | undefined
  /** the node closes */
  readonly closes: boolean
  /** it is an update that had its time to become healthy */
  readonly gaveUp: string | undefined
  /** it was not healthy since it began, and the version before is */
  readonly failedUpdate: boolean
  /** how long it waits before it starts again */
  waitMs(): number
}

const OLD_VERSION_STAYS = 'the update failed, and the previous version keeps running'

/** What follows from the end of a process: the run's next state; `again`: it starts again after so many ms. */
export function stateAfterEnd(
  spec: RunSpec,
  end: MonitoredEnd,
  { stop, closes, gaveUp, failedUpdate, waitMs }: EndFacts,
): RunChange & { readonly again?: number } {
  const { service } = spec
  const { exitCode } = end
  const isTask = service.run.kind === 'task'
  const failed = exitCode !== 0 || end.reason !== 'exit'
  if (stop !== undefined) return { state: 'stopped', exitCode, detail: stop.why }
  if (closes) {
    return isTask
      ? { state: 'stopped', exitCode, detail: 'the node was closed' }
      : { state: 'starting', detail: 'it starts again with the node' }
  }
  if (gaveUp !== undefined) return { state: 'failed', exitCode, detail: `${gaveUp}; ${OLD_VERSION_STAYS}` }
  const detail = end.reason === 'timeout' ? timeLimitText(spec) : end.detail
  if (failedUpdate && !isTask) {
    const why = detail ?? 'it ended before it was healthy'
    return { state: 'failed', exitCode, detail: `${why}; ${OLD_VERSION_STAYS}` }
  }
  if (end.reason === 'timeout' || !restarts(service, failed)) {
    return { state: failed ? 'failed' : 'exited', exitCode, detail }
  }
  const again = waitMs()
  const why = detail ?? (failed ? 'it failed' : 'it ended')
  return { state: 'starting', exitCode, detail: `${why}; again in ${formatMs(again)}`, again }
}

/** Why a run is given up that neither ended nor became healthy. */
export function notHealthyText({ service }: RunSpec, afterMs: number): string {
  return `it was not healthy after ${formatSeconds(afterMs / 1000)}, which it is when ${healthyWhen(service.run)}`
}

/** What makes a service healthy; without check and ports: `upText`. */
export function healthyWhen(
  { check, ports = [] }: Pick<RunSpec['service']['run'], 'check' | 'ports'>,
  upText = 'it stays up',
): string {
  if (check !== undefined) return checkText(check)
  if (ports.length === 0) return upText
  const names = ports.map(({ name, port }) => `"${name}" (${port})`).join(', ')
  return `it accepts connections on its port${ports.length > 1 ? 's' : ''} ${names}`
}
