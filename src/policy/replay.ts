import { raceSignal } from 'race-signal'
import type { Address } from '../../protocols/address.ts'
import { decodeCanonical } from '../../protocols/encoding.ts'
import type { ServiceBody } from '../../protocols/service.ts'
import { messageOf, ThundercloudError } from '../base/errors.ts'
import type { Reason } from '../base/verdict.ts'
import type { JournaledService } from '../journal/index.ts'
import {
  type NodeFacts,
  RunnerError,
  type RunnerHost,
  type RunnerSnapshot,
  toReceivedService,
} from '../runner/index.ts'
import type { CandidateTrust, TrustSubject } from './candidate-trust.ts'
import { createReplayCounters, type ReplaySummary } from './replay-summary.ts'
import { type Answer, type Difference, differenceOf, outcomeOf } from './verdict-diff.ts'

/** A runner that fails on as many services as this, and has answered none, is not asked about the others. */
const FAILURES_BEFORE_GIVING_UP = 5

/** Pages on their way at once: both runners have work while the next page is read. */
const PAGES_UNDER_WAY = 3

/** One of the two that are compared: a runner, the node whose facts it gets, and what that node believes. */
export type ReplaySide = {
  readonly host: Pick<RunnerHost, 'decide'>
  readonly facts: NodeFacts
  readonly beliefs: Pick<CandidateTrust, 'factsOf'>
}

/** One service about which the candidate says something else. */
export type ReplayChange = Difference & {
  readonly id: string
  readonly name: string
  readonly author: string
  /** whole seconds, UTC */
  readonly receivedAt: number
  /** the candidate's */
  readonly reasons: readonly Reason[]
  readonly failure?: string | undefined
}

export interface ReplayComponents {
  /** Services in the order of their arrival. */
  pages: Iterable<readonly JournaledService[]>
  inForce: ReplaySide
  candidate: ReplaySide
  /** the text of an address, remembered */
  textOf(address: Address): string
}

/** The candidate's runner answers nothing; what it said last. */
export class RunnerUnusableError extends ThundercloudError {
  override readonly name = 'RunnerUselessError'
}

/**
 * Asks two runners about every service that a journal has, each service at the second at which it came and with what
 * hubs and roots say that is in time at that second, and reports where their verdicts differ. The services' signatures were checked on arrival and are not checked again. Nothing is done or written.
 */
export async function replay(
  { pages, inForce, candidate, textOf }: ReplayComponents,
  options: {
    signal: AbortSignal
    onChange(change: ReplayChange): void
    onProgress?(asked: number): void
  },
): Promise<ReplaySummary> {
  const { signal, onChange, onProgress } = options
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  const counters = createReplayCounters()
  const watch = {
    inForce: createFailureWatch('the runner with the policy in force'),
    candidate: createFailureWatch("the candidate's runner"),
  }

  async function ask(
    { host, facts, beliefs }: ReplaySide,
    side: keyof typeof watch,
    request: Request,
  ): Promise<Answer> {
    try {
      const { service, subject, depth, now } = request
      const snapshot: RunnerSnapshot = { ...facts, ...beliefs.factsOf(subject, now), value: null, depth, now }
      const verdict = await host.decide(service, snapshot)
      watch[side].answered()
      return { verdict }
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      const useless = watch[side].failed(error)
      if (useless !== undefined) stopped.reject(useless)
      return { failure: messageOf(error) }
    }
  }

  async function askBoth(received: JournaledService): Promise<void> {
    const { id, body, depth, receivedAt } = received
    const now = Math.floor(receivedAt / 1000)
    const content = decodeCanonical(body, 'body') as ServiceBody
    const service = toReceivedService(id, content, body.byteLength, textOf)
    const { code, author: signer, statements, credentials } = content
    const request = { service, subject: { code, author: signer, staples: [...statements, ...credentials] }, depth, now }
    const [before, after] = await Promise.all([ask(inForce, 'inForce', request), ask(candidate, 'candidate', request)])
    counters.add({ inForce: outcomeOf(before), candidate: outcomeOf(after) }, after.verdict)
    const difference = differenceOf(before, after)
    if (difference === undefined) return
    counters.change(difference)
    const { author, name } = service
    const reasons = after.verdict?.reasons ?? []
    onChange({ id, name, author, receivedAt: now, ...difference, reasons, failure: after.failure })
  }

  const underWay: Promise<number>[] = []
  let asked = 0
  async function settle(): Promise<void> {
    const oldest = underWay.shift()
    if (oldest === undefined) return
    asked += await raceSignal(Promise.race([oldest, stopped.promise]), signal)
    onProgress?.(asked)
  }

  for (const page of pages) {
    const answers = Promise.all(page.map(askBoth)).then(() => page.length)
    // a replay that stops does not wait for it, and its failure concerns nothing then
    answers.catch(() => {})
    underWay.push(answers)
    if (underWay.length >= PAGES_UNDER_WAY) await settle()
  }
  while (underWay.length > 0) await settle()
  return counters.summary()
}

type Request = {
  readonly service: ReturnType<typeof toReceivedService>
  readonly subject: TrustSubject
  readonly depth: number
  readonly now: number
}

/** Distinguishes a runner that fails at times from one that never answers: each failure may cost a full time limit. */
function createFailureWatch(side: string) {
  let failures = 0
  let useful = false
  return {
    answered() {
      useful = true
    },
    failed(error: RunnerError): RunnerUnusableError | undefined {
      failures++
      if (useful || failures < FAILURES_BEFORE_GIVING_UP) return undefined
      const message = `${side} failed on each of the first ${failures} services: ${error.message}`
      return new RunnerUnusableError(message, { cause: error })
    },
  }
}
