import { messageOf } from '../../base/errors.ts'
import type { Verdict } from '../../base/verdict.ts'
import type { ReceivedService, RunnerSnapshot } from '../contract.ts'
import { RunnerError } from '../errors.ts'
import { exampleNodes, exampleServices, hostileServices } from './cases.ts'
import type { OpenRunner } from './open.ts'

/** One question and what came of it. */
export type CaseResult = {
  /** for a person: `a stranger's on a node with capacity` */
  readonly about: string
  /** of a service of a hostile author */
  readonly hostile: boolean
  readonly service: ReceivedService
  readonly snapshot: RunnerSnapshot
  readonly verdict?: Verdict | undefined
  readonly error?: RunnerError | undefined
  readonly durationMs: number
}

export type CaseResults = readonly CaseResult[]

/** A runner that hangs or dies at everything would take its time limit for each question. */
const MAX_SERIOUS = 3

/** Asks about every service on every node, the services of one node at once. Stops early where it is hopeless. */
export async function runCases(runner: OpenRunner, time: () => number, signal?: AbortSignal): Promise<CaseResults> {
  const answers: CaseResult[] = []
  const hostile = new Set(Object.keys(hostileServices()))
  const serious = () => answers.filter(({ error }) => error !== undefined && isSerious(error)).length
  for (const [where, snapshot] of Object.entries(exampleNodes(runner.config))) {
    const asked = Object.entries(exampleServices()).map(async ([which, service]): Promise<CaseResult> => {
      const from = time()
      const about = `${which} on a node ${where}`
      const common = { about, hostile: hostile.has(which), service, snapshot }
      try {
        const verdict = await runner.ask(service, snapshot, { signal })
        return { ...common, verdict, durationMs: time() - from }
      } catch (error) {
        if (!(error instanceof RunnerError)) throw error
        return { ...common, error, durationMs: time() - from }
      }
    })
    answers.push(...(await Promise.all(asked)))
    if (serious() >= MAX_SERIOUS) break
  }
  return answers
}

/** The process hung or died, instead of answering something. */
export function isSerious(error: RunnerError): boolean {
  return error.kind === 'timeout' || error.kind === 'died' || error.kind === 'memory' || error.kind === 'load'
}

/** The first few of them, in one sentence. */
export function listCases(answers: readonly CaseResult[], describe: (answer: CaseResult) => string): string {
  const shown = answers.slice(0, 2).map((answer) => `${answer.about}: ${describe(answer)}`)
  return `${shown.join('; ')}${answers.length > 2 ? `; and ${answers.length - 2} more` : ''}`
}

export function problemOf({ error }: CaseResult): string {
  return messageOf(error)
}
