import { sleep, systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { answers, hostile, inTime, shape } from './checks/answers.ts'
import { cancellation } from './checks/cancellation.ts'
import { deterministic, keyOrder } from './checks/determinism.ts'
import { accepts, failsClosed, noCapacity } from './checks/fail-closed.ts'
import { grants } from './checks/grants.ts'
import { memory } from './checks/memory.ts'
import { reasons } from './checks/reasons.ts'
import {
  type Check,
  type CheckContext,
  type CheckName,
  type CheckOptions,
  type CheckOutcome,
  type CheckResult,
  fail,
  pass,
  type RunnerReport,
  skip,
} from './contract.ts'
import { exampleService, exampleSnapshot } from './examples.ts'
import { entryOf, type OpenRunner, openRunner } from './open.ts'
import { reportOf } from './report.ts'
import { isSerious, runCases } from './run-cases.ts'

/** In this order: what a later one asks makes sense only where the first ones went well. */
const CHECKS: readonly Check[] = [
  answers,
  inTime,
  shape,
  reasons,
  failsClosed,
  noCapacity,
  grants,
  accepts,
  hostile,
  keyOrder,
  deterministic,
  cancellation,
  memory,
]

const LOADS = { name: 'loads', demands: 'can be imported, and exports a function' } as const

/**
 * Asks of a runner what every runner must do, whatever its policy, in the process that a node would give it. Takes a few
 * seconds. Needs no test framework: the report says what went how. Rejects only where the question is wrong.
 */
export async function checkRunner(runner: URL | string, options: CheckOptions = {}): Promise<RunnerReport> {
  const clock = systemClock()
  const time = () => clock.monotonic()
  const entry = entryOf(runner)
  const results: CheckResult[] = []
  const note = (check: Pick<Check, 'name' | 'demands'>, from: number, outcome: CheckOutcome) =>
    results.push({ name: check.name, demands: check.demands, ...outcome, durationMs: Math.round(time() - from) })

  const from = time()
  let opened: OpenRunner
  try {
    opened = await openRunner(entry, options)
  } catch (error) {
    note(LOADS, from, fail(messageOf(error)))
    for (const check of CHECKS) note(check, time(), skip('it cannot be loaded'))
    return reportOf(entry, results)
  }
  await using shared = opened
  note(LOADS, from, pass(`in ${Math.round(time() - from)} ms`))
  const context: CheckContext = {
    options,
    runner: shared,
    results: await runCases(shared, time, options.signal),
    accepts: acceptedOf(options, shared),
    open: (others) => openRunner(entry, { ...options, ...others }),
    wait: (ms) => sleep(clock, ms, { signal: options.signal }),
    time,
  }
  const hopeless = context.results.every(({ error }) => error !== undefined && isSerious(error))
  for (const check of CHECKS) {
    if (options.only?.includes(check.name) === false) continue
    options.signal?.throwIfAborted()
    const started = time()
    note(check, started, await outcomeOf(check, context, hopeless))
  }
  return reportOf(entry, results)
}

/** As `checkRunner`, and rejects with the report's text when a check failed: one line of a test in any framework. */
export async function assertRunner(runner: URL | string, options: CheckOptions = {}): Promise<RunnerReport> {
  const report = await checkRunner(runner, options)
  if (!report.ok) throw new Error(report.text)
  return report
}

const BY_ANSWERS: ReadonlySet<CheckName> = new Set(['answers', 'in-time', 'hostile'])

async function outcomeOf(check: Check, context: CheckContext, hopeless: boolean): Promise<CheckOutcome> {
  const exception = context.options.except?.[check.name]
  if (exception !== undefined) return skip(`left out: ${exception}`)
  if (hopeless && !BY_ANSWERS.has(check.name)) return skip('it answers nothing')
  try {
    return await check.run(context)
  } catch (error) {
    context.options.signal?.throwIfAborted()
    return fail(messageOf(error))
  }
}

function acceptedOf({ accepts }: CheckOptions, runner: OpenRunner): CheckContext['accepts'] {
  if (accepts === undefined) return undefined
  const own = accepts.snapshot?.config === undefined ? { config: runner.config } : {}
  return { service: exampleService(accepts.service), snapshot: { ...exampleSnapshot(accepts.snapshot), ...own } }
}
