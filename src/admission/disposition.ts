import { MAX_REASONS } from '../../protocols/limits.ts'
import type { Grant, Reason, Verdict, WakeCondition } from '../base/verdict.ts'
import type { Disposition } from './views.ts'

/** Why a task that had begun ends for good where a service would wait. */
const ONCE: Reason = { rule: 'node', outcome: 'fail', message: 'a task is not started twice, so it does not wait' }

/** Why an older version that ends is not begun again: its name has a newer one. */
const REPLACED: Reason = {
  rule: 'node',
  outcome: 'fail',
  message: 'a newer version has replaced it, so it does not wait',
}

/** Why a run that ends is not begun again; undefined where it waits. */
export function finalReason(of: { replaced: boolean; begunTask: boolean }): Reason | undefined {
  if (of.replaced) return REPLACED
  return of.begunTask ? ONCE : undefined
}

/** A verdict not to run, for what is not begun again: it does not wait, and a replaced version is not redirected. */
export function finalVerdict(asked: Verdict, why: Reason, mayRedirect: boolean): Verdict {
  const replaced = why === REPLACED
  const verdict = replaced ? { ...asked, redirect: false } : asked
  return dispositionOf(verdict) === 'parked' ? declined(verdict, why, !replaced && mayRedirect) : verdict
}

/** What a verdict makes of a service. */
export function dispositionOf(verdict: Verdict): Disposition {
  if (verdict.run !== false) return 'run'
  if ((verdict.park?.length ?? 0) > 0) return 'parked'
  return verdict.redirect ? 'redirected' : 'refused'
}

/** Does it run, or wait to run? */
export function mayRun(verdict: Verdict): boolean {
  return ['run', 'parked'].includes(dispositionOf(verdict))
}

/** A verdict to run that cannot be carried out now: the service waits, with the rank that the runner gave it. */
export function parkedVerdict(
  { redirect, rank, reasons }: Verdict,
  on: readonly WakeCondition[],
  reason: Reason,
): Verdict {
  return { run: false, redirect, park: on, rank, reasons: withReason(reason, reasons) }
}

/** A run by an executor that is not granted any more ends, and begins again by the one that is. */
export function moved(verdict: Verdict, from: Pick<Grant, 'executor'>, to: Pick<Grant, 'executor'>): Verdict {
  const message = `the policy in force does not grant it ${executorText(from)} any more: it ends, and gets ${executorText(to)}`
  return parkedVerdict(verdict, [{ on: 'capacity' }], { rule: 'toolchain', outcome: 'defer', message })
}

function executorText({ executor }: Pick<Grant, 'executor'>): string {
  return { docker: 'a run in Docker', host: 'a run on the host', pool: 'a run in a pool', swarm: 'a run in the swarm' }[
    executor
  ]
}

/** A verdict that is not carried out: nothing happens here, so the service is redirected where REDIRECT allows it. */
export function declined({ redirect, rank, reasons }: Verdict, reason: Reason, mayRedirect: boolean): Verdict {
  return { run: false, redirect: redirect || mayRedirect, rank, reasons: withReason(reason, reasons) }
}

/** Why a grant that the runner may not give is not carried out. `problem` begins with the field. */
export function beyondLimits(problem: string): Reason {
  return { rule: 'node', outcome: 'fail', message: `the runner's grant is not carried out: ${problem}` }
}

/** The reason before those of other rules. What decided comes first: a receipt is cut at its end. */
export function withReason(reason: Reason, reasons: readonly Reason[]): Reason[] {
  return [reason, ...reasons.filter(({ rule }) => rule !== reason.rule)].slice(0, MAX_REASONS)
}
