import type { AddressTexts } from '../base/address-texts.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Verdict } from '../base/verdict.ts'
import type { Policy } from '../config/index.ts'
import {
  type NodeFacts,
  type ReceivedService,
  RunnerError,
  type RunnerSnapshot,
  toReceivedService,
} from '../runner/index.ts'
import type { SignedService } from '../services/registry.ts'
import type { Assumed, Trust, TrustFacts } from '../trust/index.ts'
import type { NodeFactsSource } from './facts/node-facts.ts'
import type { OperatorOrders } from './operator/orders.ts'
import { trustSubjectOf } from './trust-subject.ts'

/** What is decided about: a service, its best depth, and the older version that it would take the place of. */
export type Subject = {
  readonly id: string
  readonly signed: SignedService
  readonly depth: number
  readonly predecessor: string | undefined
  /** when it was received, ms */
  readonly arrived: number
}

export type Decision = {
  readonly verdict: Verdict
  /** how the runner failed instead of answering */
  readonly failure?: string | undefined
  readonly error?: RunnerError | undefined
  /** statements of hubs and roots that the runner got */
  readonly trustFacts?: TrustFacts | undefined
}

export type AskRunner = (service: ReceivedService, snapshot: RunnerSnapshot) => Promise<Verdict>

export interface EvaluatorComponents {
  clock: Clock
  facts: NodeFactsSource
  runner: {
    decide(
      service: ReceivedService,
      snapshot: RunnerSnapshot,
      options: { signal?: AbortSignal | undefined },
    ): Promise<Verdict>
  }
  trust: Pick<Trust, 'factsOf'>
  texts: AddressTexts
  orders: OperatorOrders
}

export interface Evaluator {
  /** Asks the runner in force. A runner that fails is a decision too: nothing is done, and `error` says why. */
  evaluate(subject: Subject, options?: { signal?: AbortSignal | undefined; facts?: NodeFacts }): Promise<Decision>
  /** Asks another one, a candidate, or asks as if a statement were in force. Failures are thrown. */
  evaluateWith(ask: AskRunner, subject: Subject, facts: NodeFacts, assumed?: Assumed | undefined): Promise<Verdict>
  /** What is true for this service: its own run, and the version that it would replace, do not weigh against it. */
  factsFor(subject: Subject): NodeFacts
}

/** A policy that changes while a runner thinks makes its answer old; so often it is asked again for one service. */
const MAX_REPEATS = 3

export function createEvaluator(components: EvaluatorComponents, init: { policy(): Policy }): Evaluator {
  const { clock, facts, runner, trust, texts, orders } = components

  function factsFor({ id, predecessor }: Subject): NodeFacts {
    const running = facts.running()
    const others = running.filter((other) => other.id !== id && other.id !== predecessor)
    return others.length === running.length ? facts.current() : facts.assuming(others)
  }

  function requestOf(
    { signed, depth }: Subject,
    known: NodeFacts,
    assumed?: Assumed,
  ): [ReceivedService, RunnerSnapshot] {
    const service = toReceivedService(signed.id, signed.body, signed.bytes.byteLength, texts.of)
    const trustFacts = trust.factsOf(trustSubjectOf(signed), { policy: known.config, assumed })
    return [service, { ...known, ...trustFacts, value: null, depth, now: nowSeconds(clock) }]
  }

  return {
    factsFor,
    evaluateWith: async (ask, subject, known, assumed) =>
      orders.refusal(subject) ?? orders.apply(subject, await ask(...requestOf(subject, known, assumed))),
    async evaluate(subject, { signal, facts: known } = {}) {
      const refusal = orders.refusal(subject)
      if (refusal !== undefined) return { verdict: refusal }
      try {
        for (let again = 0; ; again++) {
          const policy = init.policy()
          const [service, snapshot] = requestOf(subject, known ?? factsFor(subject))
          const { attestations, quorum, inTree, frozen } = snapshot
          const trustFacts = { attestations, quorum, inTree, frozen }
          const verdict = await runner.decide(service, snapshot, { signal })
          if (policy === init.policy() || known !== undefined || again >= MAX_REPEATS) {
            return { verdict: orders.apply(subject, verdict), trustFacts }
          }
        }
      } catch (error) {
        if (!(error instanceof RunnerError)) throw error
        // an operator's broken runner neither runs nor redirects: silence is the only safe answer
        const reasons = [
          { rule: 'runner', outcome: 'fail' as const, message: 'the runner of this node failed to answer' },
        ]
        return { verdict: { run: false, redirect: false, reasons }, failure: messageOf(error), error }
      }
    },
  }
}
