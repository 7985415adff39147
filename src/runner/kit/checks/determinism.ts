import { isDeepStrictEqual } from 'node:util'
import type { Verdict } from '../../../base/verdict.ts'
import type { ReceivedService, RunnerSnapshot } from '../../contract.ts'
import { type Check, type CheckContext, fail, pass, skip } from '../contract.ts'
import { type CaseResult, listCases } from '../run-cases.ts'

export const keyOrder: Check = {
  name: 'key-order',
  demands: 'the order of keys in a service, the settings and the facts changes no verdict',
  async run(about) {
    const changed: CaseResult[] = []
    let compared = 0
    for (const answer of answered(about)) {
      const again = await ask(about, answer.service, answer.snapshot)
      // a runner that answers as it likes cannot be compared
      if (!isDeepStrictEqual(again, answer.verdict)) continue
      compared++
      const turned = await ask(about, backwards(answer.service), backwards(answer.snapshot))
      if (!isDeepStrictEqual(turned, answer.verdict)) changed.push(answer)
    }
    if (changed.length > 0) return fail(listCases(changed, () => 'another verdict with the keys in another order'))
    return compared === 0 ? skip('it never says the same twice') : pass(`${compared} questions, keys backwards`)
  },
}

export const deterministic: Check = {
  name: 'deterministic',
  demands: 'the same question has the same answer, whatever was asked before and by whichever process',
  async run(about) {
    if (about.options.deterministic !== true) return skip('it does not claim so')
    await using other = await about.open()
    const changed: CaseResult[] = []
    for (const answer of answered(about).toReversed()) {
      const verdict = await other.ask(answer.service, answer.snapshot).catch(() => undefined)
      if (!isDeepStrictEqual(verdict, answer.verdict)) changed.push(answer)
    }
    if (changed.length > 0) return fail(listCases(changed, () => 'another verdict in another process, asked backwards'))
    return pass('the same in another process, asked backwards')
  },
}

function answered({ results }: CheckContext): readonly CaseResult[] {
  return results.filter(({ verdict }) => verdict !== undefined)
}

function ask(
  { runner }: CheckContext,
  service: ReceivedService,
  snapshot: RunnerSnapshot,
): Promise<Verdict | undefined> {
  return runner.ask(service, snapshot).catch(() => undefined)
}

/** The same value with the keys of every object in the other order. Lists keep theirs, which means something. */
function backwards<T>(value: T): T {
  if (Array.isArray(value)) return value.map(backwards) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, backwards(item)] as const)
  return Object.fromEntries(entries.reverse()) as T
}
