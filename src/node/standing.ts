import { MAX_REASONS } from '../../protocols/limits.ts'
import type { Condition, Grant, Reason, Verdict } from '../base/verdict.ts'
import type { Standing } from './redecide.ts'

/** Why a task that had begun ends for good where a service would wait. */
export const ONCE: Reason = { rule: 'node', outcome: 'fail', message: 'a task is not begun twice, so it does not wait' }

/** What a verdict makes of a service. */
export function standingOf(verdict: Verdict): Standing {
  if (verdict.run !== false) return 'run'
  if ((verdict.park?.length ?? 0) > 0) return 'parked'
  return verdict.redirect ? 'redirected' : 'refused'
}

/** Does it run, or wait to run? */
export function mayBegin(verdict: Verdict): boolean {
  const standing = standingOf(verdict)
  return standing === 'run' || standing === 'parked'
}

/** A verdict to run that can not be carried out now: it waits, and what the runner said of its worth stands. */
export function waiting({ redirect, rank, reasons }: Verdict, on: readonly Condition[], reason: Reason): Verdict {
  return { run: false, redirect, park: on, rank, reasons: first(reason, reasons) }
}

/** A run by an executor that is not granted any more ends, and begins again by the one that is. */
export function moving(verdict: Verdict, from: Pick<Grant, 'executor'>, to: Pick<Grant, 'executor'>): Verdict {
  const message = `the policy in force does not grant it ${placeOf(from)} any more: it ends, and gets ${placeOf(to)}`
  return waiting(verdict, [{ on: 'capacity' }], { rule: 'toolchain', outcome: 'defer', message })
}

function placeOf({ executor }: Pick<Grant, 'executor'>): string {
  return executor === 'docker' ? 'a run in Docker' : 'a run on the host'
}

/** A verdict that is not carried out: nothing happens here, so the service is passed on where REDIRECT lets it. */
export function declined({ redirect, rank, reasons }: Verdict, reason: Reason, mayPassOn: boolean): Verdict {
  return { run: false, redirect: redirect || mayPassOn, rank, reasons: first(reason, reasons) }
}

/** What decided comes first: a receipt is cut at its end. */
function first(reason: Reason, reasons: readonly Reason[]): Reason[] {
  return [reason, ...reasons.filter(({ rule }) => rule !== reason.rule)].slice(0, MAX_REASONS)
}
