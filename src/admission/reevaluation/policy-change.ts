import { type Clock, nowSeconds } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Policy } from '../../config/index.ts'
import type { Dormitory, Supervisor } from '../../execution/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { RunnerEvents } from '../../runner/index.ts'
import type { NodeFactsSource } from '../facts/node-facts.ts'
import type { Applied } from '../views.ts'
import type { BackgroundReevaluation } from './background-reevaluation.ts'
import type { Reevaluator } from './reevaluate.ts'

/** Under this name the journal remembers the policy by which everything was decided last. */
const LAST_POLICY = 'policy'

/** A reload loads the runner first and puts its policy in force at once; this is long after. */
const AFTER_SWAP_MS = 250

export interface PolicyChangeComponents {
  clock: Clock
  log: Log
  events: Pick<Events<RunnerEvents>, 'on'>
  journal: Pick<Journal, 'meta' | 'reevaluations'>
  facts: Pick<NodeFactsSource, 'forget'>
  supervisor: Pick<Supervisor, 'granted'>
  dormitory: Pick<Dormitory, 'size'>
  reevaluator: Pick<Reevaluator, 'all'>
  background: Pick<BackgroundReevaluation, 'schedule' | 'resume'>
}

/** Decides again about everything when the policy, or the runner's code, is another one. */
export interface PolicyChange extends Disposable {
  /** Remembers by which policy. A failure is logged: the policy is in force. */
  reevaluateAll(): Promise<Applied>
  /** Is it another policy than the one by which everything was decided when the node ended? */
  hasChanged(): boolean
  remember(): void
}

export function createPolicyChange(
  components: PolicyChangeComponents,
  init: { policy(): Policy; closing: AbortSignal },
): PolicyChange {
  const { clock, log, events, journal, facts, supervisor, dormitory, reevaluator, background } = components
  const { policy, closing } = init

  async function reevaluateAll(): Promise<Applied> {
    facts.forget()
    try {
      const { hash } = policy()
      background.schedule({ on: 'all' })
      const live = journal.reevaluations.count(nowSeconds(clock))
      const changes = await reevaluator.all({ signal: closing })
      journal.meta.set(LAST_POLICY, hash)
      return { changes, background: Math.max(0, live - supervisor.granted().length - dormitory.size) }
    } catch (error) {
      if (!closing.aborted) log.error('some services were not decided again', { reason: messageOf(error) })
      return { changes: [], background: 0 }
    } finally {
      background.resume()
    }
  }

  // where a reload swapped the code, that decides again itself, by the policy that it brings
  const swaps = events.on('runner:loaded', ({ swapped }) => {
    if (!swapped) return
    const seen = policy()
    clock.after(AFTER_SWAP_MS, () => {
      if (policy() === seen && !closing.aborted) void reevaluateAll()
    })
  })

  return {
    reevaluateAll,
    hasChanged() {
      const last = journal.meta.get(LAST_POLICY)
      return last !== undefined && last !== policy().hash
    },
    remember: () => journal.meta.set(LAST_POLICY, policy().hash),
    [Symbol.dispose]: () => swaps[Symbol.dispose](),
  }
}
