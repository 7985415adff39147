import { constants } from 'node:os'
import type { RUN_RULES } from '../../protocols/receipt.ts'
import type { ServiceBody } from '../../protocols/service.ts'
import { formatMs } from '../base/format.ts'
import type { RunRecord } from '../base/run-record.ts'
import type { Reason } from '../base/verdict.ts'
import { FINAL_STATES, healthyWhen } from '../execution/index.ts'
import { lastLinesOf } from './output-lines.ts'

/** Lines that a receipt of a failure carries, and bytes of each. */
const OUTPUT_LINES = 10
export const OUTPUT_LINE_BYTES = 256

type RunFacts = {
  readonly run: RunRecord
  readonly healthy: boolean
  readonly service: Pick<ServiceBody['run'], 'kind' | 'ports' | 'check'>
  readonly healthyMs: number
}

/** A run's own report, as reasons of a receipt: how it ended, how often it began again, what it waits for. */
export function runReasons({ run, healthy, service, healthyMs }: RunFacts): Reason[] {
  const over = FINAL_STATES.includes(run.state)
  const ended = run.exitCode !== undefined
  const reasons: Reason[] = []
  const why = over && run.detail !== undefined && run.detail !== '' ? run.detail : undefined
  if (ended || (over && why !== undefined)) {
    const failed = run.state === 'failed' || run.state === 'refused' || (!over && run.exitCode !== 0)
    const words = [ended ? exitText(run.exitCode ?? 0) : undefined, why].filter((word) => word !== undefined)
    reasons.push(reasonOf('run:exit', failed && !healthy ? 'fail' : 'pass', words.join(': ')))
  }
  if (run.restarts > 0) {
    const detail = run.state === 'starting' && run.detail !== undefined && run.detail !== '' ? `: ${run.detail}` : ''
    reasons.push(
      reasonOf(
        'run:restart',
        healthy || run.state === 'stopped' ? 'pass' : 'defer',
        `restart ${run.restarts}${detail}`,
      ),
    )
  }
  if ((run.state === 'fetching' || run.state === 'building') && run.detail !== undefined && run.detail !== '') {
    reasons.push(reasonOf('run:health', 'defer', run.detail))
  }
  if (run.state === 'running' && !healthy) {
    reasons.push(reasonOf('run:health', 'defer', healthText(service, healthyMs)))
  }
  return reasons
}

/** Last lines of a run, for its publisher alone. */
export function outputReasons(lines: readonly string[]): Reason[] {
  return lastLinesOf(lines, OUTPUT_LINES).map((line) => reasonOf('run:output', 'fail', line))
}

/** A run that ended by itself, badly: its author wants the last lines. */
export function hasFailed(reasons: readonly Reason[]): boolean {
  return reasons.some(({ rule, outcome }) => rule === 'run:exit' && outcome === 'fail')
}

/** "exit code 137 (SIGKILL)" */
export function exitText(exitCode: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0]
  return `exit code ${exitCode}${signal === undefined ? '' : ` (${signal})`}`
}

/** What a run that is not healthy waits for. */
export function healthText(service: RunFacts['service'], healthyMs: number): string {
  if (service.kind === 'task') return 'it runs; a task is done when it has ended with exit code 0'
  return `it runs, and is healthy when ${healthyWhen(service, `it has been up for ${formatMs(healthyMs)}`)}`
}

function reasonOf(
  rule: (typeof RUN_RULES)[keyof typeof RUN_RULES],
  outcome: Reason['outcome'],
  message: string,
): Reason {
  return { rule, outcome, message }
}
