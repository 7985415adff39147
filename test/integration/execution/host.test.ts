import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Executor, RunRefusedError } from '../../../src/execution/index.ts'
import { hostExecutor, NO_BUBBLEWRAP } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { MIB, type PlanChange, planFor, runToEnd, talk, until } from '../../fixtures/execution/run-fixture.ts'
import { canRead, ORDINARY, reportOf } from '../../fixtures/process/report.ts'
import { needs } from '../../require.ts'

const EAT = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20)'

/** A host for the tests of the `describe` that calls it, and runs on it. */
function host(init: Parameters<typeof hostExecutor>[1] = {}, usual: PlanChange = {}) {
  const dirs = runDirs()
  let executor: Executor
  beforeAll(() => {
    executor = hostExecutor(dirs, init)
  })
  const plan = (script: string, change: PlanChange = {}) => planFor(executor, dirs, script, { ...usual, ...change })
  return {
    dirs,
    plan,
    executor: () => executor,
    ran: async (script: string, change: PlanChange = {}) => runToEnd(executor, await plan(script, change)),
  }
}

describe.skipIf(!needs('bubblewrap'))('a sandbox on the host', () => {
  const { dirs, executor, ran } = host()
  const run = (...command: string[]) => ran('', { command })

  it.each(['--user', '--net', '--mount'])('makes no namespace inside (%s)', async (flag) => {
    const { end, err } = await run('unshare', flag, 'true')
    expect(end.exitCode).not.toBe(0)
    expect(err.join()).toContain('Operation not permitted')
  })

  it.skipIf(!existsSync('/usr/bin/perl'))('opens no socket that leads around the network namespace', async () => {
    const open = (family: number) => run('perl', '-e', `socket(S, ${family}, 1, 0) or die "$!"`)
    // AF_VSOCK, AF_PACKET, AF_BLUETOOTH, AF_ALG; and AF_INET, so that the others do not fail for a reason of their own
    for (const family of [40, 17, 31, 38])
      expect((await open(family)).err.join()).toMatch(/not supported|not permitted/)
    expect((await open(2)).end.exitCode).toBe(0)
  })

  it('finds our Node first, then the programs of the machine', async () => {
    const { out } = await run('sh', '-c', 'command -v node; node --version; ls / | tr "\\n" " "')
    expect(out.slice(0, 2)).toEqual(['/opt/thundercloud/bin/node', process.version])
    const shown = out[2]?.split(' ') ?? []
    expect(['root', 'home', 'var', 'sys', 'srv', 'boot'].filter((name) => shown.includes(name))).toEqual([])
  })

  it.skipIf(!needs('root'))('says what all its processes have used, also those that had ended', async () => {
    const burn = 'const end = process.cpuUsage().user + 4e5; while (process.cpuUsage().user < end);'
    const { end } = await ran(`require('child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}])`)
    expect(end.cpuMs).toBeGreaterThan(400)
    expect(end.endedAt).toBeGreaterThan(0)
  })

  it('holds the memory of the whole machine from /dev/shm and /dev', async () => {
    const fill = 'head -c 64M /dev/zero > /dev/shm/x; wc -c < /dev/shm/x; (echo > /dev/x) 2>&1 | head -c 1; true'
    const { out } = await run('sh', '-c', fill)
    expect(Number(out[0])).toBeLessThanOrEqual(16 * MIB)
    expect(existsSync('/dev/x')).toBe(false)
  })

  it('names what builds: another program of the toolchain, or one that was replaced, is another builder', async () => {
    const tool = join(dirs.base, 'cc')
    const other = hostExecutor(dirs, { programs: { c: tool } })
    const build = await planFor(other, dirs, '', { purpose: 'build', toolchain: ['c'] })
    const ids = [await other.builderId({ ...build, toolchain: ['node.js'] }), await other.builderId(build)]
    for (const text of ['one', 'another']) {
      await writeFile(tool, text)
      ids.push(await other.builderId(build))
    }
    expect([new Set(ids).size, await other.builderId(build)]).toEqual([4, ids[3]])
  })

  it('says how a task ended also where what it left cannot be copied', async () => {
    const outputs = { paths: ['a'], maxBytes: MIB, maxEntries: 10 }
    const script = `process.stdin.resume(); require('fs').writeFileSync('/work/a', 'x'); setTimeout(() => {}, 1500)`
    const run = await executor().start(await planFor(executor(), dirs, script, { outputs }))
    const { dir } = run.handle as { dir: string }
    // where the copy belongs is something else, which its user cannot take away
    await mkdir(`${dir}/outputs/kept`, { recursive: true, mode: 0o755 })
    await writeFile(`${dir}/outputs/kept/file`, '')
    expect(await run.wait()).toMatchObject({ exitCode: 0, reason: 'exit' })
    await until(async () => (await executor().adopt()).every((found) => found.state === 'ended'))
    await executor().remove(run.handle)
  })

  it('ends what is left of a command when the command ends', async () => {
    const { end } = await run('sh', '-c', 'sleep 300 & exit 4')
    expect(end).toMatchObject({ exitCode: 4, reason: 'exit' })
    expect(await executor().adopt()).toEqual([])
  })

  it.skipIf(!needs('root'))('is another user for every run, where the node is root', async () => {
    const uids = await Promise.all(Array.from({ length: 4 }, async () => (await run('id', '-u')).out[0]))
    expect(new Set(uids).size).toBeGreaterThan(1)
    expect(uids.every((uid) => Number(uid) >= 61184)).toBe(true)
  })

  it.skipIf(!needs('root') || !canRead(ORDINARY))('is the same for a node that is not root', () => {
    const { status, unenforcedLimits, ...report } = reportOf('process/other-user.ts', { ...ORDINARY, quiet: true })
    const written = { answer: 'hello', writable: ['/work', '/tmp'], left: [] }
    expect(report).toMatchObject({ available: true, memory: 'memory', ...written })
    expect(unenforcedLimits).toEqual(expect.arrayContaining(['memory: watched', 'cpu: not limited']))
    expect(status).toMatch(/^Uid:\t65534\t/m)
    for (const name of ['CapEff', 'CapPrm', 'CapBnd']) expect(status).toMatch(new RegExp(`^${name}:\\t0{16}$`, 'm'))
    expect(status.endsWith('\nlo')).toBe(true)
  })
})

describe('the host without bubblewrap', () => {
  const { executor, dirs, plan, ran } = host(NO_BUBBLEWRAP, { author: 'own' })

  it('says what it is, and what to install', async () => {
    const install = expect.stringContaining('apt-get install bubblewrap')
    const found = await executor().available()
    expect(found).toMatchObject({ available: true, ownOnly: true, detail: install })
    expect(found.unenforcedLimits).toContain("network: open where ports are declared, with this machine's sockets")
    const strict = await hostExecutor(dirs, { bubblewrap: '/nowhere/bwrap' }).available()
    const detail = expect.stringContaining('/nowhere/bwrap is not installed')
    expect(strict).toMatchObject({ available: false, detail })
  })

  it.each<PlanChange>([
    { author: 'someone' },
    { command: ['sh', '-c', 'true'] },
    { toolchain: ['python'] },
    { command: ['node', '--allow-fs-read=*', 'main.js'] },
    { command: ['node'] },
    { outputs: { paths: ['out'], maxBytes: 1, maxEntries: 1 } },
  ])('refuses what it cannot contain: %j', async (change) => {
    const refused = await plan('', change)
    await expect(executor().start(refused)).rejects.toThrow(RunRefusedError)
    await expect(executor().start(refused)).rejects.toThrow(/install bubblewrap/)
    expect(await executor().adopt()).toEqual([])
  })

  it('runs its own service, kept from files, processes and network', async () => {
    const script = `const fs = require('fs'), can = {}
      const attempt = (name, act) => { try { act(); can[name] = true } catch (error) { can[name] = error.code } }
      attempt('read', () => fs.readFileSync('/etc/passwd')); attempt('spawn', () => require('child_process').execSync('true'))
      attempt('work', () => fs.writeFileSync(process.env.HOME + '/x', 'y')); attempt('code', () => fs.writeFileSync('main.js', ''))
      attempt('sqlite', () => require('node:sqlite')); can.options = process.env.NODE_OPTIONS
      require('net').connect(1, '127.0.0.1').on('error', e => { can.net = e.code; console.log(JSON.stringify(can)) })`
    const { end, out } = await ran(script, { env: { NODE_OPTIONS: '--allow-fs-read=*' } })
    expect(end).toMatchObject({ exitCode: 0, reason: 'exit' })
    const denied = 'ERR_ACCESS_DENIED'
    expect(JSON.parse(out.join())).toMatchObject({
      ...{ read: denied, spawn: denied, code: denied, net: denied, work: true, sqlite: 'ERR_UNKNOWN_BUILTIN_MODULE' },
      // a value like any other: it is set when Node's options are read
      options: '--allow-fs-read=*',
    })
  })

  it('opens the gateway to declared ports, and is found again', async () => {
    const port = 20_000 + (process.pid % 20_000)
    const served = `require('net').createServer(s => s.on('error', () => {}).end('here')).listen(${port}, '127.0.0.1')`
    const serving = await plan(served, { ports: [port] })
    await runToEnd(executor(), serving, async (run) => {
      expect(await talk(await run.connect(port), '')).toBe('here')
      const found = await hostExecutor(dirs, NO_BUBBLEWRAP).adopt()
      expect(found).toMatchObject([{ runId: serving.runId, state: 'running' }])
      await found[0]?.run.stop({ graceMs: 5000 })
      expect(await run.wait()).toMatchObject({ reason: 'stopped' })
    })
  })

  it('ends what uses more memory than granted', async () => {
    const { end } = await ran(EAT, { grant: { memoryBytes: 160 * MIB } })
    expect(end).toMatchObject({ reason: 'memory' })
  })
})

describe.skipIf(!needs('bubblewrap'))('the host without control groups', () => {
  const { executor, plan, ran } = host({ cgroups: false })

  it('says so', async () => {
    const { unenforcedLimits } = await executor().available()
    expect(unenforcedLimits).toEqual(expect.arrayContaining(['memory: watched', 'cpu: not limited']))
  })

  it('watches memory, children included', async () => {
    const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(EAT)}]); setInterval(() => {}, 1000)`
    const { end } = await ran(script, { grant: { memoryBytes: 256 * MIB } })
    expect(end).toMatchObject({ exitCode: 137, reason: 'memory' })
  })

  it('bounds the heap of Node', async () => {
    const script = `console.log(require('v8').getHeapStatistics().heap_size_limit)`
    const { out } = await ran(script, { grant: { memoryBytes: 128 * MIB } })
    expect(Number(out[0])).toBeLessThan(256 * MIB)
  })

  it('still bounds processes', async () => {
    const script = `const { spawn } = require('child_process'); let made = 0, failed = 0
      const more = () => { if (made + failed > 100) { console.log(JSON.stringify({ made, failed })); process.exit(0) }
        const child = spawn('sleep', ['30']); child.on('spawn', () => { made++; more() }); child.on('error', () => { failed++; more() }) }
      more()`
    const { out } = await ran(script, { grant: { pids: 40 } })
    expect(JSON.parse(out.join())).toMatchObject({ failed: expect.any(Number) })
    expect(JSON.parse(out.join()).made).toBeLessThan(40)
  })

  it('ends a run whose shim is killed, and says so', async () => {
    const run = await executor().start(await plan('setInterval(() => {}, 1000)'))
    const { dir } = run.handle as { dir: string }
    const pid = Number(/"child-pid": *(\d+)/.exec(await readFile(`${dir}/status`, 'utf8'))?.[1])
    process.kill(pid, 'SIGKILL')
    expect(await run.wait()).toMatchObject({ exitCode: 137, detail: expect.stringContaining('ended from outside') })
    await until(async () => (await executor().adopt()).every((found) => found.state === 'ended'))
    await executor().remove(run.handle)
  })
})
