import { expect, it, onTestFinished } from 'vitest'
import { createBuildsBench } from '../../../fixtures/execution/builds-harness.ts'
import { until } from '../../../fixtures/execution/run-fixture.ts'

const USER = 200_000

async function openBench() {
  const bench = await createBuildsBench()
  onTestFinished(() => bench[Symbol.asyncDispose]())
  bench.end = undefined
  const released: string[] = []
  const release = (id: string) => void released.push(id)
  const userIds = { claim: () => USER, release, retain: () => {}, transfer: () => {} }
  const builds = bench.open({}, { userIds })
  /** It is under way when its engine goes away, and then is wanted no more. */
  const leave = async (runId: string) => {
    const wanted = new AbortController()
    const built = builds.obtain(bench.request(runId, { signal: wanted.signal }))
    built.catch(() => {})
    await bench.begun(runId)
    bench.engine.leave()
    wanted.abort(new Error('nobody wants it'))
    await expect(built).rejects.toThrow()
  }
  return { bench, builds, released, leave }
}

it("a build that ends while its engine is away is removed when that is back, and its user is no other's before", async () => {
  const { bench, released, leave } = await openBench()
  await leave('a')
  await bench.clock.advance(1000)
  expect([bench.engine.runs.size, released]).toEqual([1, []])
  bench.engine.comeBack()
  await bench.clock.advance(60_000)
  await until(async () => released.length === 1)
  expect([bench.engine.runs.size, released]).toEqual([0, ['a-build']])
})

it('one that begins again is not removed for the one before', async () => {
  const { bench, builds, leave } = await openBench()
  await leave('a')
  bench.engine.comeBack()
  const built = builds.obtain(bench.request('a'))
  await until(async () => bench.built.length === 2)
  await bench.clock.advance(60_000)
  expect(bench.engine.runs.size).toBe(1)
  bench.engine.end('a-build')
  expect(await built).toMatchObject({ origin: 'built' })
})
