import { anySignal } from 'any-signal'
import { raceSignal } from 'race-signal'
import { type Clock, sleep } from '../base/clock.ts'
import { InputError, messageOf, UnavailableError } from '../base/errors.ts'
import type { PureRunner } from './andromeda/rule.ts'
import { RunnerError } from './errors.ts'
import { overreachError } from './failure.ts'
import { grantError } from './grant-limits.ts'
import type { RunnerHost } from './types.ts'
import { readVerdict } from './verdict-schema.ts'

export type InProcessRunnerInit = {
  /** It is trusted: nothing keeps it from the node. */
  readonly runner: PureRunner
  /** from a question to its answer, one question after the other */
  readonly answerMs: () => number
}

/**
 * A pure runner, such as Andromeda, without a process of its own: it answers in the order of the questions, at times that
 * the clock alone decides. What it gets, and what it answers, is JSON as between a node and a process, and is checked alike.
 */
export function createInProcessRunnerHost({ clock }: { clock: Clock }, init: InProcessRunnerInit): RunnerHost {
  const closing = new AbortController()
  const counts = { decided: 0, failed: 0, died: 0, swapped: 0, waiting: 0 }
  let last: Promise<unknown> = Promise.resolve()

  const decide: RunnerHost['decide'] = async (service, snapshot, { signal } = {}) => {
    const until = anySignal([signal, closing.signal])
    using _until = { [Symbol.dispose]: until.clear }
    until.throwIfAborted()
    // as it is now, whatever changes until it is its turn
    const question = JSON.stringify([service, snapshot])
    counts.waiting++
    const turn = last.then(() => sleep(clock, init.answerMs(), { signal: closing.signal }))
    last = turn.catch(() => {})
    try {
      await raceSignal(turn, until)
    } finally {
      counts.waiting--
    }
    try {
      const verdict = readVerdict(ask(question))
      const overreach = grantError(verdict, service.author, snapshot)
      if (overreach !== undefined) throw overreachError(overreach)
      counts.decided++
      return verdict
    } catch (error) {
      counts.failed++
      throw error
    }
  }

  function ask(question: string): unknown {
    const [service, snapshot] = JSON.parse(question) as Parameters<PureRunner>
    try {
      return JSON.parse(JSON.stringify(init.runner(service, snapshot) ?? null))
    } catch (cause) {
      throw new RunnerError('threw', `the runner threw: ${messageOf(cause)}`, { cause })
    }
  }

  return {
    async start() {},
    decide,
    async reload(_config, place) {
      // a configuration comes with each snapshot
      if (place !== undefined) throw new InputError('a runner without a process cannot become another module')
    },
    stats: () => ({ ...counts, pid: undefined, residentBytes: 0, underWay: 0 }),
    async [Symbol.asyncDispose]() {
      closing.abort(new UnavailableError('the runner host is closed'))
      await last
    },
  }
}
