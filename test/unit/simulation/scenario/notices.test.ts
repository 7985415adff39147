import { expect, test } from 'vitest'
import { planOf } from '../../../../src/simulation/plan/plan.ts'
import { noticesOf } from '../../../../src/simulation/scenario/notices.ts'
import { wholeScenario } from '../../../../src/simulation/scenario/read.ts'

const planned = async (change: object) =>
  planOf(
    await wholeScenario(
      { title: 'a few', nodes: 6, seconds: 10, topology: { kind: 'random-regular', degree: 4 }, ...change },
      { file: 'scenario.json', folder: '/nowhere' },
    ),
  )
const publish = (more: object) => ({ instructions: [{ at: 1, do: 'publish', ...more }] })

test('services that come after the end are counted', async () => {
  const late = await planned(publish({ count: 10, arrival: { kind: 'rate', everySeconds: 3 } }))
  expect(noticesOf(late, 'virtual')).toEqual([
    '6 services are not published, of 10: the scenario ends before, after 10 s.',
  ])
  const short = await planned(publish({ count: 2, arrival: { kind: 'trace', seconds: [1] } }))
  expect(noticesOf(short, 'virtual')).toHaveLength(1)
  expect(noticesOf(await planned(publish({ count: 10 })), 'virtual')).toEqual([])
})

test('replicas are inexact where nodes do not know all others', async () => {
  expect(noticesOf(await planned(publish({})), 'simulated')).toEqual([expect.stringContaining('"dht": true')])
  expect(noticesOf(await planned({ ...publish({}), dht: true }), 'simulated')).toEqual([])
  expect(noticesOf(await planned({}), 'simulated')).toEqual([])
  const complete = { ...publish({}), topology: { kind: 'edges', edges: pairs(6) } }
  expect(noticesOf(await planned(complete), 'simulated')).toEqual([])
})

function pairs(nodes: number): [number, number][] {
  return Array.from({ length: nodes }, (_, a) => a).flatMap((a) =>
    Array.from({ length: a }, (_, b): [number, number] => [a, b]),
  )
}
