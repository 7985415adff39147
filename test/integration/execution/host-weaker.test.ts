import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import {
  createHostExecutor,
  type Executor,
  type HostExecutorInit,
  RunRefusedError,
} from '../../../src/execution/index.ts'
import {
  MIB,
  makeRunDirs,
  type PlanChange,
  planFor,
  type RunDirs,
  runToEnd,
  talk,
  until,
} from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const components = { clock: systemClock(), log: silentLog() }
const logs = { maxBytes: 1_000_000, keep: 1 }

function over(dirs: RunDirs, change: Partial<HostExecutorInit>): Executor {
  const init = { nodeId: `weak-${process.pid}`, ownAddress: 'own', runsDir: dirs.runs, runtimeDir: dirs.runtime, logs }
  return createHostExecutor(components, { ...init, ...change })
}

describe('the host without bubblewrap', () => {
  let dirs: RunDirs & AsyncDisposable
  let executor: Executor
  beforeAll(async () => {
    dirs = await makeRunDirs()
    executor = over(dirs, { bubblewrap: '/nowhere/bwrap' })
  })
  afterAll(() => dirs[Symbol.asyncDispose]())
  const own = (script: string, change: PlanChange = {}) => planFor(executor, dirs, script, { author: 'own', ...change })

  it('says what it is, and what to install', async () => {
    const found = await executor.available()
    expect(found).toMatchObject({
      available: true,
      ownOnly: true,
      detail: expect.stringContaining('apt-get install bubblewrap'),
    })
    expect(found.unenforcedLimits).toContain("network: open where ports are declared, with this machine's sockets")
    const strict = await over(dirs, { bubblewrap: '/nowhere/bwrap', sandbox: 'bubblewrap' }).available()
    expect(strict).toMatchObject({
      available: false,
      detail: expect.stringContaining('/nowhere/bwrap is not installed'),
    })
  })

  it('refuses what it cannot contain', async () => {
    const cases = [
      own('', { author: 'someone' }),
      own('', { command: ['sh', '-c', 'true'] }),
      own('', { toolchain: ['python'] }),
      own('', { command: ['node', '--allow-fs-read=*', 'main.js'] }),
      own('', { command: ['node'] }),
    ]
    for (const plan of await Promise.all(cases)) {
      await expect(executor.start(plan)).rejects.toThrow(RunRefusedError)
      await expect(executor.start(plan)).rejects.toThrow(/install bubblewrap/)
    }
    expect(await executor.adopt()).toEqual([])
  })

  it('runs its own service, kept from files, processes and network', async () => {
    const script = `const fs = require('fs'), can = {}
      const attempt = (name, act) => { try { act(); can[name] = true } catch (error) { can[name] = error.code } }
      attempt('read', () => fs.readFileSync('/etc/passwd')); attempt('spawn', () => require('child_process').execSync('true'))
      attempt('work', () => fs.writeFileSync(process.env.HOME + '/x', 'y')); attempt('code', () => fs.writeFileSync('main.js', ''))
      attempt('sqlite', () => require('node:sqlite')); can.options = process.env.NODE_OPTIONS
      require('net').connect(1, '127.0.0.1').on('error', e => { can.net = e.code; console.log(JSON.stringify(can)) })`
    const { end, out } = await runToEnd(executor, await own(script, { env: { NODE_OPTIONS: '--allow-fs-read=*' } }))
    expect(end).toEqual({ exitCode: 0, reason: 'exit' })
    expect(JSON.parse(out.join())).toMatchObject({
      read: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      code: 'ERR_ACCESS_DENIED',
      work: true,
      sqlite: 'ERR_UNKNOWN_BUILTIN_MODULE',
      // a value like any other: it is set when Node's options are read
      options: '--allow-fs-read=*',
      net: 'ERR_ACCESS_DENIED',
    })
  })

  it('opens the door to declared ports, and is found again', async () => {
    const port = 20_000 + (process.pid % 20_000)
    const plan = await own(
      `require('net').createServer(s => s.on('error', () => {}).end('here')).listen(${port}, '127.0.0.1')`,
      {
        ports: [port],
      },
    )
    await runToEnd(executor, plan, async (run) => {
      expect(await talk(await run.connect(port), '')).toBe('here')
      const found = await over(dirs, { bubblewrap: '/nowhere/bwrap' }).adopt()
      expect(found).toMatchObject([{ runId: plan.runId, state: 'running' }])
      await found[0]?.run.stop({ graceMs: 5000 })
      expect(await run.wait()).toMatchObject({ reason: 'stopped' })
    })
  })

  it('ends what uses more memory than granted', async () => {
    const script = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20)'
    const { end } = await runToEnd(executor, await own(script, { grant: { memoryBytes: 160 * MIB } }))
    expect(end).toMatchObject({ reason: 'memory' })
  })
})

describe.skipIf(!needs('bubblewrap'))('the host without control groups', () => {
  let dirs: RunDirs & AsyncDisposable
  let executor: Executor
  beforeAll(async () => {
    dirs = await makeRunDirs()
    executor = over(dirs, { cgroups: false })
  })
  afterAll(() => dirs[Symbol.asyncDispose]())

  it('says so', async () => {
    expect((await executor.available()).unenforcedLimits).toEqual(
      expect.arrayContaining(['memory: watched', 'cpu: not limited']),
    )
  })

  it('watches memory, children included', async () => {
    const child = `const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20)`
    const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); setInterval(() => {}, 1000)`
    const { end } = await runToEnd(
      executor,
      await planFor(executor, dirs, script, { grant: { memoryBytes: 256 * MIB } }),
    )
    expect(end).toMatchObject({ exitCode: 137, reason: 'memory' })
  })

  it('bounds the heap of Node', async () => {
    const script = `console.log(require('v8').getHeapStatistics().heap_size_limit)`
    const { out } = await runToEnd(
      executor,
      await planFor(executor, dirs, script, { grant: { memoryBytes: 128 * MIB } }),
    )
    expect(Number(out[0])).toBeLessThan(256 * MIB)
  })

  it('still bounds processes', async () => {
    const script = `const { spawn } = require('child_process'); let made = 0, failed = 0
      const more = () => { if (made + failed > 100) { console.log(JSON.stringify({ made, failed })); process.exit(0) }
        const child = spawn('sleep', ['30']); child.on('spawn', () => { made++; more() }); child.on('error', () => { failed++; more() }) }
      more()`
    const { out } = await runToEnd(executor, await planFor(executor, dirs, script, { grant: { pids: 40 } }))
    expect(JSON.parse(out.join())).toMatchObject({ failed: expect.any(Number) })
    expect(JSON.parse(out.join()).made).toBeLessThan(40)
  })

  it('ends a run whose keeper is killed, and says so', async () => {
    const plan = await planFor(executor, dirs, 'setInterval(() => {}, 1000)')
    const run = await executor.start(plan)
    const { dir } = run.handle as { dir: string }
    const pid = Number(/"child-pid": *(\d+)/.exec(await readFile(`${dir}/status`, 'utf8'))?.[1])
    process.kill(pid, 'SIGKILL')
    expect(await run.wait()).toMatchObject({ exitCode: 137, detail: expect.stringContaining('ended from outside') })
    await until(async () => (await executor.adopt()).every((found) => found.state === 'ended'))
    await executor.remove(run.handle)
  })
})
