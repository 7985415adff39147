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

describe('run.check', () => {
  const http = { check: { http: { port: 'http', path: '/health' } }, ports: [HTTP] }
  const command = { check: { command: ['node', 'check.js'] } }
  /** Time goes by until so many checks more have begun, and a moment longer. */
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      const before = bench.engine.checks
      await bench.until(() => {
        void bench.clock.advance(1000)
        return bench.engine.checks > before
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const healthyWith = async (run: object) => {
    const supervisor = await bench.running('a', { run })
    await bench.until(() => {
      void bench.clock.advance(500)
      return supervisor.healthy('a')
    })
    return supervisor
  }
  beforeEach(() => {
    bench.engine.listening.add(HTTP.port)
    bench.engine.answer = 'HTTP/1.1 200 OK\r\n\r\n'
  })

  it.each([
    ['HTTP/1.1 399 \r\n', true],
    ['HTTP/1.0 302\r\n', true],
    ['HTTP/1.1 400 Bad Request\r\n', false],
    ['HTTP/1.1 503 \r\n', false],
    ['HTTP/1.1 200000\r\n', false],
    ['SSH-2.0-OpenSSH\r\n', false],
    [`HTTP/1.1 200 ${'x'.repeat(5000)}`, false],
    ['', false],
    [`HTTP/1.1 200 ${'x'.repeat(3000)}\r\n`, true],
    [`HTTP/1.1 200 ${'x'.repeat(5000)}\r\n`, false],
  ])('by HTTP: %j passes: %s', async (answer, passes) => {
    bench.engine.answer = answer
    const supervisor = await bench.running('a', { run: http })
    await rounds(3)
    await bench.clock.advance(2500)
    await rounds(1)
    expect(supervisor.healthy('a')).toBe(passes)
  })

  it.each([
    [http, () => (bench.engine.answer = 'HTTP/1.1 500 \r\n'), 'GET /health on port 8080: it answered 500'],
    [http, () => bench.engine.listening.clear(), 'GET /health: nothing listens on port 8080 of the run'],
    [command, () => (bench.engine.checkCode = 2), 'its command: it ended with exit code 2'],
    [command, () => (bench.engine.checkCode = undefined), 'its command: it did not answer within 5s'],
  ])('%j that fails three times in a row ends the run, which starts again', async (run, fail, why) => {
    const supervisor = await healthyWith(run)
    const details: unknown[] = []
    bench.events.onAny(() => void details.push(bench.record('a')?.detail))
    fail()
    await bench.until(() => {
      void bench.clock.advance(1000)
      return bench.reported.includes('a starting') && bench.record('a')?.restarts === 1
    })
    expect(supervisor.healthy('a')).toBe(false)
    expect(bench.engine.stops).toMatchObject([{ reason: 'stopped' }])
    expect(details).toContainEqual(expect.stringContaining(`its check failed 3 times in a row: ${why}; again in`))
  })

  it('that fails twice and passes again ends nothing', async () => {
    const supervisor = await healthyWith(command)
    for (const code of [1, 1, 0, 1, 1, 0]) {
      bench.engine.checkCode = code
      await rounds(1)
    }
    expect([supervisor.healthy('a'), bench.engine.stops]).toEqual([true, []])
  })

  it('that never passes ends the run at the deadline', async () => {
    bench.engine.checkCode = 1
    await bench.running('a', { run: { ...command, restart: 'never' } })
    await bench.clock.advance(59_000)
    expect(bench.state('a')).toBe('running')
    await bench.clock.advance(2000)
    await bench.reaches('a', 'failed')
    expect(bench.record('a')?.detail).toBe(
      'it was not healthy after 1m, which it is when its command ["node","check.js"] ends with exit code 0',
    )
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
