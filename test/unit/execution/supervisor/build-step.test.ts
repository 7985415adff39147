import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { networkUnder } from '../../../fixtures/execution/networks.ts'
import { linesOf, until } from '../../../fixtures/execution/run-fixture.ts'
import { GRANT, START_MS, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

describe('a supervised service with a build', () => {
  const bench = useBench()
  const run = { build: ['make'] }

  beforeEach(async () => {
    const dir = join(bench.dir, 'source')
    await mkdir(dir)
    await writeFile(join(dir, 'main.js'), '')
    bench.code.dir = dir
  })

  const buildOf = (service: string) => `${bench.runId(service)}-build`
  const builds = (service: string) => until(async () => bench.engine.runs.has(buildOf(service)))
  const outputs = () => readdir(join(bench.dir, 'builds'))
  /** What the node says of a service, once it has begun so often. */
  const logOf = (service: string, times: number) =>
    until(async () => {
      const { node } = await linesOf(join(bench.dir, 'logs', service))
      return node.filter((line) => line === 'running').length === times && node
    })
  /** The build of a service, which its run goes on from. */
  const runs = async (service: string) => {
    const supervisor = bench.begin(service, run)
    await builds(service)
    bench.engine.end(buildOf(service))
    await bench.reaches(service, 'running')
    return supervisor
  }

  it('says where its build came from: in its states, its log and its record', async () => {
    const supervisor = await runs('a')
    bench.begin('b', run, supervisor)
    await bench.until(() => bench.state('b') === 'running')
    const said = ['fetching', 'building', 'building: the output of an earlier build is used', 'starting', 'running']
    expect(await logOf('b', 1)).toEqual(said)
    const [a, b] = ['a', 'b'].map((service) => bench.engine.runs.get(bench.runId(service))?.plan.codeDir)
    expect(b).toBe(a)
    // it begins again with what it holds already
    bench.end('b')
    await bench.reaches('b', 'starting')
    for (let n = 0; n < 20 && bench.state('b') !== 'running'; n++) await bench.clock.advance(100)
    await bench.reaches('b', 'running')
    expect((await logOf('b', 2)).filter((line) => line.startsWith('building:'))).toHaveLength(1)
  })

  it('that is stopped, or expires, leaves the build to the other that waits for it', async () => {
    const supervisor = bench.start()
    const expires = START_MS / 1000 + 60
    supervisor.run(serviceOf('a', run), GRANT)
    await builds('a')
    supervisor.run(serviceOf('b', run, { expires }), GRANT)
    supervisor.run(serviceOf('c', run), GRANT)
    await bench.until(() => ['b', 'c'].every((service) => bench.state(service) === 'building'))
    await new Promise((resolve) => setImmediate(resolve))
    await supervisor.stop('a', { why: 'by the test' })
    await bench.clock.advance(61_000)
    await bench.reaches('b', 'stopped')
    expect([bench.record('b')?.detail, bench.engine.runs.has(buildOf('a'))]).toEqual(['it expired', true])
    bench.engine.end(buildOf('a'))
    await bench.reaches('c', 'running')
    expect(bench.engine.starts).toEqual([buildOf('a'), bench.runId('c')])
  })

  it('that is stopped alone has no build any more, and none has failed', async () => {
    const supervisor = bench.begin('a', run)
    await builds('a')
    await supervisor.stop('a', { why: 'by the test' })
    expect([bench.state('a'), bench.engine.runs.size, await outputs()]).toEqual(['stopped', 0, []])
    bench.begin('b', run, supervisor)
    await builds('b')
  })

  it('fails at once where the same build has just failed, whatever its output says', async () => {
    const supervisor = bench.begin('a', run)
    await builds('a')
    bench.engine.end(buildOf('a'), { exitCode: 1, detail: 'ENOSPC: no space left on device' })
    await bench.reaches('a', 'failed')
    bench.begin('b', run, supervisor)
    await bench.reaches('b', 'failed')
    expect(bench.record('b')?.detail).toMatch(/^the build ended with exit code 1: .* is not tried again before 2023-/)
  })

  it('keeps its output over a restart of the node that it outlives', async () => {
    const first = await runs('a')
    await first[Symbol.asyncDispose]()
    const next = bench.start({ builds: { maxBytes: 1, timeoutMs: 1000, network: networkUnder() } })
    await next.boot()
    expect(await outputs()).toHaveLength(1)
    await next.stop('a', { why: 'by the test' })
    await bench.idle()
    expect(await outputs()).toEqual([])
  })
})
