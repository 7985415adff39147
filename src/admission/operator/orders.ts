import { CLOCK_SKEW_SECONDS } from '../../../protocols/limits.ts'
import type { AddressTexts } from '../../base/address-texts.ts'
import type { Reason, Verdict } from '../../base/verdict.ts'
import type { SignedService } from '../../services/registry.ts'
import { declined, parkedVerdict, withReason } from '../disposition.ts'
import type { DrainState } from '../drain/drain-state.ts'
import type { BlockKind, BlockList } from './block-list.ts'
import type { PauseState } from './pause.ts'

const DRAINED: Reason = {
  rule: 'drain',
  outcome: 'defer',
  message: 'this node is drained for maintenance and takes no new service; it is decided again when the drain is over',
}

/** Instead of what the runner says of it: nodes that do not know a service cannot take it over. */
const HANDED_OVER: Reason = {
  rule: 'redirection',
  outcome: 'pass',
  message: 'redirected: this node is drained, and another one is to take it over',
}

const PAUSED: Reason = {
  rule: 'pause',
  outcome: 'defer',
  message: 'the operator has paused this node: it begins no new run; it is decided again when the node is resumed',
}

/** A task runs once on a node, and the original may have begun it after the backup. */
const BEFORE_RESTORE: Reason = {
  rule: 'restore',
  outcome: 'fail',
  message: 'this node was restored from a backup, and may have run the task before: it begins none that is older',
}

/** What the operator has ordered beside the policy: the one place where it decides about a service. */
export interface OperatorOrders {
  /** The verdict on what is blocked: the runner is not asked about it. */
  refusal(service: Ordered): Verdict | undefined
  /**
   * What a verdict comes to. What is blocked is refused; what would begin waits while the node is drained or paused, and a
   * service that runs while it is drained is redirected; a task from before a restore does not begin.
   */
  apply(service: Ordered, asked: Verdict): Verdict
}

type Ordered = { readonly id: string; readonly predecessor: string | undefined; readonly signed: SignedService }

export interface OperatorOrdersComponents {
  readonly drain: Pick<DrainState, 'active'>
  readonly pause: Pick<PauseState, 'active'>
  readonly blocks: Pick<BlockList, 'get'>
  readonly texts: AddressTexts
  /** when the node was restored from a backup, if it was; whole seconds */
  readonly restoredAt: number | undefined
  runsHere(id: string): boolean
  /** Versions before it, the latest first. */
  olderOf(service: Ordered): readonly string[]
  /** May a service that does not run here be redirected? */
  mayRedirect(): boolean
}

export function createOperatorOrders(components: OperatorOrdersComponents): OperatorOrders {
  const { drain, pause, blocks, texts, runsHere, olderOf, mayRedirect } = components

  function refusal({ id, signed: { body } }: Ordered): Verdict | undefined {
    const found = blocks.get('author', texts.ofBytes(body.author)) ?? blocks.get('code', body.code.toString())
    if (found === undefined || (found.keepsRuns && runsHere(id))) return undefined
    return { run: false, redirect: false, reasons: [blockedReason(found.kind)] }
  }

  /** The version before ends when others run this one, so an update stands by for a replica. */
  function held(service: Ordered, asked: Verdict): Verdict {
    const why = [...(drain.active ? [DRAINED] : []), ...(pause.active ? [PAUSED] : [])]
    if (why.length === 0 || asked.run === false) return asked
    if (runsHere(service.id)) return drain.active ? handedOver(service, asked) : asked
    const verdict = { ...asked, redirect: asked.redirect || mayRedirect() }
    const updates = olderOf(service).some(runsHere)
    const on = [{ on: updates ? 'replica' : 'capacity' }] as const
    return why.reduceRight<Verdict>((parked, reason) => parkedVerdict(parked, on, reason), verdict)
  }

  /** A task that has begun is nobody else's. */
  function handedOver({ signed }: Ordered, asked: Verdict): Verdict {
    if (asked.redirect || signed.body.run.kind === 'task' || !mayRedirect()) return asked
    return { ...asked, redirect: true, reasons: withReason(HANDED_OVER, asked.reasons) }
  }

  function mayHaveRun({ id, signed: { body } }: Ordered): boolean {
    const until = (components.restoredAt ?? Number.NEGATIVE_INFINITY) + CLOCK_SKEW_SECONDS
    return body.run.kind === 'task' && body.issued <= until && !runsHere(id)
  }

  return {
    refusal,
    apply(service, asked) {
      const refused = refusal(service)
      if (refused !== undefined) return refused
      if (asked.run !== false && mayHaveRun(service)) return declined(asked, BEFORE_RESTORE, mayRedirect())
      return held(service, asked)
    },
  }
}

/** Until when, and why, is the operator's own: the author reads this in a receipt. */
function blockedReason(kind: BlockKind): Reason {
  return { rule: 'block', outcome: 'fail', message: `the operator of this node has blocked its ${kind}` }
}
