import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { andromeda } from '../../../src/runner/andromeda/index.ts'
import type { PureRunner } from '../../../src/runner/andromeda/rule.ts'
import { createInProcessRunnerHost } from '../../../src/runner/index.ts'
import { exampleService, exampleSnapshot } from '../../../src/runner/kit/examples.ts'

const it = test.extend('clock', () => manualClock(0))
const snapshot = exampleSnapshot()
const withDepth = (depth: number) => ({ ...exampleSnapshot(), depth })

it('answers in the order of the questions, each at its own time', async ({ clock }) => {
  const asked: number[] = []
  const runner: PureRunner = (service, node) => {
    asked.push(node.depth)
    return andromeda(service, node)
  }
  await using host = createInProcessRunnerHost({ clock }, { runner, answerMs: () => 10 })
  const answered: string[] = []
  const verdicts = [1, 2, 3].map(async (depth) => {
    const verdict = await host.decide(exampleService(), withDepth(depth))
    answered.push(`${depth}@${clock.monotonic()}`)
    return verdict
  })
  await clock.advance(25)
  expect({ answered, waiting: host.stats().waiting }).toEqual({ answered: ['1@10', '2@20'], waiting: 1 })
  await clock.advance(5)
  expect(answered).toEqual(['1@10', '2@20', '3@30'])
  expect(asked).toEqual([1, 2, 3])
  expect(await verdicts[0]).toEqual(JSON.parse(JSON.stringify(andromeda(exampleService(), withDepth(1)))))
})

it.for([
  ['that throws', () => JSON.parse('{'), 'threw'],
  ['that answers nonsense', () => ({ run: 'yes' }), 'nonsense'],
  [
    'that gives more than there is',
    (service: never, node: never) => {
      const verdict = andromeda(service, node)
      return verdict.run === false ? verdict : { ...verdict, run: { ...verdict.run, memoryBytes: 2 ** 50 } }
    },
    'overreach',
  ],
] as const)('a runner %s fails as it would in a process', async ([, runner, kind], { clock }) => {
  await using host = createInProcessRunnerHost(
    { clock },
    { runner: runner as unknown as PureRunner, answerMs: () => 0 },
  )
  const answer = host.decide(exampleService(), snapshot)
  answer.catch(() => {})
  await clock.advance(1)
  await expect(answer).rejects.toMatchObject({ name: 'RunnerError', kind })
  expect(host.stats()).toMatchObject({ decided: 0, failed: 1 })
})

it('a question that is called off is answered no more, and the next one is', async ({ clock }) => {
  await using host = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: () => 10 })
  const { signal, abort } = calledOff()
  const first = host.decide(exampleService(), snapshot, { signal })
  const second = host.decide(exampleService(), snapshot)
  abort()
  await expect(first).rejects.toThrow('called off')
  await clock.advance(20)
  expect(await second).toMatchObject({ reasons: expect.any(Array) })
})

it('once closed it answers nothing', async ({ clock }) => {
  const host = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: () => 10 })
  const waiting = host.decide(exampleService(), snapshot)
  await Promise.all([expect(waiting).rejects.toThrow('closed'), host[Symbol.asyncDispose]()])
  await expect(host.decide(exampleService(), snapshot)).rejects.toThrow('closed')
})

function calledOff() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new Error('called off')) }
}
