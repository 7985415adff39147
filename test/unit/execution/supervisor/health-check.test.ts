import { beforeEach, describe, expect, it } from 'vitest'
import { useBench } from '../../../fixtures/execution/supervisor-harness.ts'

const HTTP = { name: 'http', port: 8080 }
const ADMIN = { name: 'admin', port: 8081 }
const bench = useBench()

describe('health', () => {
  it('without ports: it was up for LIMITS.HEALTHY_SECONDS', async () => {
    const supervisor = await bench.running('a')
    await bench.clock.advance(9_900)
    expect(supervisor.healthy('a')).toBe(false)
    await bench.clock.advance(200)
    await bench.until(() => supervisor.healthy('a'))
    bench.end('a', 1)
    await bench.reaches('a', 'starting')
    expect(supervisor.healthy('a')).toBe(false)
  })

  it('with ports: each accepted a connection, and it stayed up for 2 s after', async () => {
    const supervisor = await bench.running('a', { run: { ports: [HTTP, ADMIN] } })
    for (const [port, ms] of [
      [HTTP.port, 60_000],
      [ADMIN.port, 1000],
    ] as const) {
      bench.engine.listening.add(port)
      await bench.clock.advance(ms)
      expect(supervisor.healthy('a')).toBe(false)
    }
    await bench.clock.advance(2000)
    await bench.until(() => supervisor.healthy('a'))
  })

  it('an adopted run counts from its start', async () => {
    const first = await bench.running('a')
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
    const supervisor = await bench.running('a', { run: { kind: 'task' } })
    await bench.clock.advance(600_000)
    expect(supervisor.healthy('a')).toBe(false)
  })
})

describe('a lost gateway', () => {
  beforeEach(async () => {
    bench.engine.listening.add(HTTP.port)
    await bench.running('a', { run: { ports: [HTTP] } })
  })

  it('ends the run after three silences in a row, and it begins again', async () => {
    bench.engine.unreachable.add(bench.runId('a'))
    for (let round = 0; round < 2; round++) await bench.clock.advance(5000)
    expect(bench.state('a')).toBe('running')
    await bench.clock.advance(5000)
    await bench.reaches('a', 'starting')
    expect(bench.record('a')?.detail).toMatch(/^it was unreachable: its gateway was lost; again in/)
    bench.engine.unreachable.clear()
    await bench.clock.advance(5000)
    await bench.reaches('a', 'running')
    expect(bench.engine.starts).toHaveLength(2)
  })

  it('two silences in a row end nothing', async () => {
    for (let round = 0; round < 9; round++) {
      if (round % 3 < 2) bench.engine.unreachable.add(bench.runId('a'))
      else bench.engine.unreachable.clear()
      await bench.clock.advance(5000)
    }
    expect([bench.state('a'), bench.engine.starts.length]).toEqual(['running', 1])
  })
})
