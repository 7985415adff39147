import { RUN_RULES } from '../../../protocols/receipt.ts'
import type { ReceiptView } from '../../node/types.ts'

/** What `--wait` comes to. */
export type Outcome = 'healthy' | 'refused' | 'failed' | 'unknown'

/** Exit codes of `--wait`, once the service is published. */
export const WAIT_EXIT: Record<Outcome, number> = { healthy: 0, refused: 3, failed: 4, unknown: 5 }

/** A service that was begun again so often and was not healthy in between keeps failing. */
const FAILING_RESTARTS = 3
/** So long after the last answer, no further one is expected; longer where it was redirected to nodes further away. */
const SETTLED_MS = 2_000
const SETTLED_FURTHER_MS = 6_000

export type WaitFacts = {
  /** the newest receipt of each node */
  readonly answers: readonly ReceiptView[]
  readonly replicas: number
  /** since the last news */
  readonly quietMs: number
  /** neighbours of the publisher, where it knows them: all of them have answered when as many did */
  readonly neighbours?: number | undefined
}

/** What will come of it, as soon as no answer can change it any more; undefined before. */
export function waitOutcome({ answers, replicas, quietMs, neighbours }: WaitFacts): Outcome | undefined {
  const inState = (...states: string[]) => answers.filter(({ state }) => states.includes(state))
  const good = inState('running', 'done')
  if (good.length >= replicas) return 'healthy'
  const failed = [...inState('failed', 'stopped'), ...inState('accepted').filter(keepsFailing)]
  const no = inState('refused', 'redirected')
  const open = answers.length - good.length - failed.length - no.length
  if (answers.length === 0 || open > 0 || good.length > 0) return undefined
  const redirected = answers.some(({ state, redirected }) => redirected || state === 'redirected')
  const all = neighbours !== undefined && neighbours > 0 && answers.length >= neighbours && !redirected
  if (!all && quietMs < (redirected ? SETTLED_FURTHER_MS : SETTLED_MS)) return undefined
  return failed.length > 0 ? 'failed' : 'refused'
}

/** Begun again and again, and never healthy: it will be begun again, and nothing says that it will be otherwise then. */
export function keepsFailing({ state, reasons }: ReceiptView): boolean {
  const restarts = reasons.find(({ rule }) => rule === RUN_RULES.restart)
  const exit = reasons.find(({ rule }) => rule === RUN_RULES.exit)
  const count = Number(/^restart (\d+)/.exec(restarts?.message ?? '')?.[1] ?? 0)
  return state === 'accepted' && exit?.outcome === 'fail' && count >= FAILING_RESTARTS
}
