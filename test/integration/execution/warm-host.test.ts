import { statSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Executor, WarmStarts } from '../../../src/execution/index.ts'
import { hostExecutor } from '../../fixtures/execution/executors.ts'
import { LOOK } from '../../fixtures/execution/look.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import {
  MIB,
  makeRunDirs,
  type PlanChange,
  planFor,
  type RunDirs,
  runToEnd,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { alwaysWarm, userIdsIn, WARM, warmHost } from '../../fixtures/execution/warm-host.ts'
import { runNode } from '../../fixtures/program/process.ts'
import { needs } from '../../require.ts'

const here = needs('bubblewrap') && needs('root')
const BUILT = new URL('../../built-sources.ts', import.meta.url).href
const NODE = fileURLToPath(new URL('../../fixtures/execution/warm-node.ts', import.meta.url))

/** How many processes there are of users that runs and warm sandboxes of these folders have. */
async function processes(dirs: RunDirs): Promise<number> {
  const users = new Set((await readdir(join(dirs.base, 'uids'))).map(Number))
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => users.has(statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? -1)).length
}

/** What is left of warm sandboxes: their folders, their users, their control groups. */
async function left(dirs: RunDirs) {
  const groups = await readdir('/sys/fs/cgroup/memory/thundercloud').catch(() => [])
  const own = groups.filter((name) => name.startsWith(basename(dirs.base)))
  return { folders: await readdir(dirs.runs), users: await readdir(join(dirs.base, 'uids')), groups: own }
}

describe.skipIf(!here)('a program in a warm Node.js', () => {
  const dirs = runDirs()
  let executor: Executor & AsyncDisposable
  let warmed: Executor
  const starts: string[] = []
  beforeAll(() => {
    executor = warmHost(dirs)
    warmed = alwaysWarm(executor, starts)
    return () => executor[Symbol.asyncDispose]()
  })
  const outputOf = async (on: Executor, script: string, change: PlanChange = {}) => {
    const { end, out, err } = await runToEnd(on, await planFor(executor, dirs, script, change))
    return { end: { exitCode: end.exitCode, reason: end.reason }, out, err }
  }

  it.each<[string, PlanChange, string]>([
    [
      'beside a gateway',
      { env: { TZ: "it's $HOME\n", HOME: '/tmp' } },
      'its gateway was warm, its program started cold',
    ],
    ['in a Node.js', { env: { GREETING: 'hello', HOME: '/tmp' } }, 'warm start'],
    ['beside a gateway, with a check', { check: ['true'] }, 'its gateway was warm, its program started cold'],
  ])('sees what it sees in a cold start: %s', async (_, more, start) => {
    const change = { command: ['node', 'main.js', 'one', '--two', "it's", 'a\nb'], workdir: 'below', ...more }
    const codeDir = await writeCode(dirs, { 'below/main.js': LOOK })
    const [fresh] = (await outputOf(warmHost(dirs), '', { ...change, codeDir })).out
    const [warm] = (await outputOf(warmed, '', { ...change, codeDir })).out
    expect(starts.at(-1)).toContain(start)
    expect(JSON.parse(warm ?? '')).toEqual(JSON.parse(fresh ?? ''))
  })

  it.each([
    ['a module', { command: ['node', 'main.mjs', 'x'] }, 'true,x', 0],
    ['a program that fails', { command: ['node', 'fails.js'] }, '', 1],
    ['a file that is not there', { command: ['node', 'nowhere.js'] }, '', 1],
    ['a folder of its own', { command: ['node', '../main.js'], workdir: 'below' }, '/code/below', 0],
  ] as const)('ends as there: %s', async (_, change, line, exitCode) => {
    const files = {
      'main.mjs': 'console.log([import.meta.main, process.argv[2]].join())',
      'fails.js': 'throw new Error("on purpose")',
      'main.js': 'console.log(process.cwd())',
      'below/x': '',
    }
    const codeDir = await writeCode(dirs, files)
    const fresh = await outputOf(warmHost(dirs), '', { ...change, codeDir })
    const warm = await outputOf(warmed, '', { ...change, codeDir })
    expect(starts.at(-1)).toBe('warm start')
    expect(warm).toMatchObject({ end: { exitCode }, out: line === '' ? [] : [line] })
    // a stack has another end
    const said = ({ err }: typeof warm) => err.filter((text) => !/^ {2,}at /.test(text))
    expect(said(warm)).toEqual(said(fresh))
  })

  it('loses nothing of what it writes, however soon it ends', async () => {
    for (let round = 0; round < 5; round++) {
      const { end, out } = await outputOf(warmed, `require('fs').writeSync(1, 'said\\n'); process.reallyExit(3)`)
      expect([end.exitCode, out, starts.at(-1)]).toEqual([3, ['said'], 'warm start'])
    }
  })

  it('is another user each time, which nobody has beside it', async () => {
    const users = await Promise.all([1, 2, 3].map(() => outputOf(warmed, 'console.log(process.getuid())')))
    expect(new Set(users.map(({ out }) => out[0])).size).toBe(3)
  })

  it('finds no other warm sandbox, and nothing of a run before it', async () => {
    const leave = `for (const dir of ['/work', '/tmp', '/dev/shm']) require('fs').writeFileSync(dir + '/left', 'x')`
    expect(await outputOf(warmed, leave)).toMatchObject({ end: { exitCode: 0 } })
    await executor.keepWarm?.({ ...WARM, gateways: 3 })
    const look = `const { readdirSync } = require('fs')
      console.log([...['/work', '/tmp', '/dev/shm'].flatMap((dir) => readdirSync(dir)), readdirSync('/proc').filter((n) => +n > 2)].join())`
    expect((await outputOf(warmed, look)).out).toEqual([''])
  })

  it.each<[string, PlanChange, string]>([
    ['options', { command: ['node', '--no-warnings', 'main.js'] }, 'its command is not "node FILE"'],
    ['another program', { command: ['sh', '-c', 'node main.js'] }, 'its command is not "node FILE"'],
    ['a variable', { env: { NODE_ENV: 'production' } }, 'its environment sets NODE_ENV'],
    ['another grant', { grant: { memoryBytes: 200 * MIB } }, 'LIMITS.WARM has no class with its grant: memory 200'],
    ['a check', { check: ['true'] }, 'it has a check by a command'],
  ])('starts cold beside a warm gateway: %s', async (_, change, why) => {
    expect(await outputOf(warmed, 'console.log("here")', change)).toMatchObject({ end: { exitCode: 0 }, out: ['here'] })
    expect(starts.at(-1)).toContain(`its gateway was warm, its program started cold: ${why}`)
  })
})

describe.skipIf(!here)('warm sandboxes', () => {
  let dirs: RunDirs & AsyncDisposable
  let executor: Executor & AsyncDisposable
  beforeEach(async () => {
    dirs = await makeRunDirs()
    executor = warmHost(dirs)
  })
  afterEach(async () => {
    await executor[Symbol.asyncDispose]()
    await dirs[Symbol.asyncDispose]()
  })
  const start = async (change: PlanChange = {}) => {
    const run = await executor.start(await planFor(executor, dirs, 'console.log(1)', change))
    const end = await run.wait()
    await executor.remove(run.handle)
    return { start: run.start, exitCode: end.exitCode }
  }

  it('are as many as memory allows that no run has, and as the policy says', async () => {
    const keep = async (change: Partial<WarmStarts>) => {
      await executor.keepWarm?.({ ...WARM, ...change })
      return (await readdir(dirs.runs)).length
    }
    expect(await keep({ freeBytes: () => 100 * MIB, gateways: 5 })).toBe(2)
    expect(await keep({ gateways: 2 })).toBe(3)
    expect(await keep({ classes: [], gateways: 0 })).toBe(0)
    expect([await left(dirs), await processes(dirs)]).toEqual([{ folders: [], users: [], groups: [] }, 0])
  })

  it('are made again where the policy is another', async () => {
    await executor.keepWarm?.(WARM)
    const before = await readdir(dirs.runs)
    await executor.keepWarm?.(WARM, { renew: true })
    const after = await readdir(dirs.runs)
    expect([after.length, after.filter((name) => before.includes(name))]).toEqual([before.length, []])
  })

  it('are thrown away where their Node.js is another file by now', async () => {
    const node = join(dirs.base, 'node')
    await copyFile(process.execPath, node)
    await using upgraded = warmHost(dirs, { node })
    await upgraded.keepWarm?.(WARM)
    await utimes(node, 0, 0)
    const run = await upgraded.start(await planFor(upgraded, dirs, ''))
    expect([run.start, (await run.wait()).exitCode]).toEqual(['cold start: none of its class was idle', 0])
    await upgraded.remove(run.handle)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('end with their node (%s), and leave nothing', async (signal) => {
    const node = runNode([`--import=${BUILT}`, NODE, JSON.stringify(dirs)], { env: {} })
    await node.line((line) => line === 'ready')
    expect(await processes(dirs)).toBeGreaterThan(4)
    await node.end(signal)
    await until(async () => (await processes(dirs)) === 0)
    expect(await executor.adopt()).toEqual([])
    const users = userIdsIn(dirs)
    for (const id of users.holders()) users.release(id)
    expect(await left(dirs)).toEqual({ folders: [], users: [], groups: [] })
  })

  it('end when their run has ended, also where no node is there to remove it', async () => {
    await executor.keepWarm?.({ ...WARM, gateways: 0 })
    const run = await executor.start(await planFor(executor, dirs, ''))
    await executor.keepWarm?.({ ...WARM, classes: [], gateways: 0 })
    expect([run.start, (await run.wait()).exitCode]).toEqual(['warm start', 0])
    await until(async () => (await processes(dirs)) === 0)
    await executor.remove(run.handle)
  })

  it('of a class that cannot be made keep no others from being made', async () => {
    const tiny = { count: 1, memoryBytes: MIB, diskBytes: MIB, pids: 64 }
    await executor.keepWarm?.({ ...WARM, classes: [tiny, ...WARM.classes] })
    expect((await readdir(dirs.runs)).length).toBe(2)
    expect(await start()).toEqual({ start: 'warm start', exitCode: 0 })
    const grant = { memoryBytes: MIB, diskBytes: MIB, pids: 64 }
    expect(await start({ command: ['true'], grant })).toEqual({
      start: 'cold start: its memory is less than what waits in a sandbox may take',
      exitCode: 0,
    })
  })

  it('that ended by themselves are no loss: the run starts cold, as the user that it has', async () => {
    await executor.keepWarm?.({ ...WARM, gateways: 0 })
    const [warm = ''] = await readdir(dirs.runs)
    // no place for the table of what is mounted: the start fails after it has taken the sandbox
    await rm(join(dirs.runs, warm, 'mounts'))
    await mkdir(join(dirs.runs, warm, 'mounts'))
    expect(await start()).toEqual({ start: 'cold start: a warm sandbox failed', exitCode: 0 })
    await executor.keepWarm?.({ ...WARM, classes: [], gateways: 0 })
    expect((await left(dirs)).groups).toEqual([])
  })

  it('are nothing to a node that is not root, which says so', async () => {
    const ordinary = hostExecutor(dirs)
    await ordinary.keepWarm?.(WARM)
    const run = await ordinary.start(await planFor(ordinary, dirs, ''))
    expect(run.start).toBe('cold start: sandboxes are kept warm only where the node is root')
    await run.wait()
    await ordinary.remove(run.handle)
  })
})
