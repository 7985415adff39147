import { expect, it, onTestFinished } from 'vitest'
import { UnavailableError } from '../../../../src/base/errors.ts'
import type { Executor } from '../../../../src/execution/types.ts'
import { type BuildsBench, createBuildsBench } from '../../../fixtures/execution/builds-harness.ts'
import { until } from '../../../fixtures/execution/run-fixture.ts'

const USER = 200_000

async function openBench() {
  const bench = await createBuildsBench()
  onTestFinished(() => bench[Symbol.asyncDispose]())
  bench.end = undefined
  const released: string[] = []
  const release = (id: string) => void released.push(id)
  const userIds = { claim: () => USER, release, holders: () => [], transfer: () => {} }
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

/** What is busy does not go: the engine answers, and cannot remove it. */
function busyExecutor({ executor }: BuildsBench) {
  const busy = { is: true, executor: undefined as unknown as Executor }
  busy.executor = {
    ...executor,
    remove: (handle) => (busy.is ? Promise.reject(new UnavailableError('it is busy')) : executor.remove(handle)),
  }
  return busy
}

it('one that begins again, and cannot remove the one before, keeps its user until that is gone', async () => {
  const { bench, builds, released, leave } = await openBench()
  await leave('a')
  bench.engine.comeBack()
  const busy = busyExecutor(bench)
  await expect(builds.obtain(bench.request('a', { executor: busy.executor }))).rejects.toThrow('it is busy')
  await bench.clock.advance(60_000)
  expect([bench.engine.runs.size, released]).toEqual([1, []])
  busy.is = false
  await bench.clock.advance(60_000)
  await until(async () => released.length === 1)
  expect([bench.engine.runs.size, released]).toEqual([0, ['a-build']])
})

it('one whose start had no answer is removed when its engine is back', async () => {
  const { bench, builds, released } = await openBench()
  const { executor } = bench
  const start: Executor['start'] = async (plan, options) => {
    await executor.start(plan, options)
    bench.engine.leave()
    throw new UnavailableError('the engine is away')
  }
  const built = builds.obtain(bench.request('a', { executor: { ...executor, start } }))
  await expect(built).rejects.toThrow('the engine is away')
  expect([bench.engine.runs.size, released]).toEqual([1, []])
  bench.engine.comeBack()
  await bench.clock.advance(60_000)
  await until(async () => released.length === 1)
  expect([bench.engine.runs.size, released]).toEqual([0, ['a-build']])
})

it('an engine that does not answer keeps no node from closing', async () => {
  const { bench, builds } = await openBench()
  let asked = 0
  const remove: Executor['remove'] = () => {
    asked++
    return asked === 1
      ? bench.executor.remove({ runId: 'a-build' })
      : asked === 2
        ? Promise.reject(new UnavailableError('it is busy'))
        : new Promise(() => {})
  }
  bench.end = { exitCode: 0 }
  await expect(builds.obtain(bench.request('a', { executor: { ...bench.executor, remove } }))).rejects.toThrow('busy')
  await bench.clock.advance(60_000)
  expect(asked).toBe(3)
  await builds[Symbol.asyncDispose]()
})
