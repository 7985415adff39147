import { beforeEach, describe, expect, it } from 'vitest'
import { type Bench, createBench, GRANT, serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'

describe('health', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
    return () => bench[Symbol.asyncDispose]()
  })

  const begins = async (run: object) => {
    const supervisor = bench.start()
    supervisor.run(serviceOf('a', run), GRANT)
    await bench.reaches('a', 'running')
    return supervisor
  }

  it('without ports: it was up for LIMITS.HEALTHY_SECONDS', async () => {
    const supervisor = await begins({})
    await bench.clock.advance(9_900)
    expect(supervisor.healthy('a')).toBe(false)
    await bench.clock.advance(200)
    await bench.until(() => supervisor.healthy('a'))
    bench.end('a', 1)
    await bench.reaches('a', 'starting')
    expect(supervisor.healthy('a')).toBe(false)
  })

  it('with ports: each accepted a connection, and it stayed up for 2 s after', async () => {
    const supervisor = await begins({
      ports: [
        { name: 'http', port: 8080 },
        { name: 'admin', port: 8081 },
      ],
    })
    bench.engine.listening.add(8080)
    await bench.clock.advance(60_000)
    expect(supervisor.healthy('a')).toBe(false)
    bench.engine.listening.add(8081)
    await bench.clock.advance(1000)
    expect(supervisor.healthy('a')).toBe(false)
    await bench.clock.advance(2000)
    await bench.until(() => supervisor.healthy('a'))
  })

  it('an adopted run counts from its start', async () => {
    const first = await begins({})
    await first[Symbol.asyncDispose]()
    await bench.clock.advance(9_000)
    const second = bench.start()
    await second.boot()
    await bench.until(() => second.running().length === 1)
    expect(second.healthy('a')).toBe(false)
    await bench.clock.advance(2_000)
    await bench.until(() => second.healthy('a'))
  })

  it('a task never is while it runs', async () => {
    const supervisor = await begins({ kind: 'task' })
    await bench.clock.advance(600_000)
    expect(supervisor.healthy('a')).toBe(false)
  })
})
