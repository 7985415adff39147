import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeImageTag } from '../../../src/execution/docker/images/node-image.ts'
import type { Executor } from '../../../src/execution/index.ts'
import { findProgram, runProcess } from '../../../src/process/index.ts'
import { startEngineProxy } from '../../fixtures/execution/engine-proxy.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { LOOK } from '../../fixtures/execution/look.ts'
import {
  linesOf,
  MIB,
  makeRunDirs,
  type PlanChange,
  planFor,
  type RunDirs,
  runToEnd,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { CLEAN, containersOf, leftOf, NOTHING, ONE_PROGRAM, warmDocker } from '../../fixtures/execution/warm-docker.ts'
import { WARM } from '../../fixtures/execution/warm-host.ts'
import { runNode } from '../../fixtures/program/process.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const BUILT = new URL('../../built-sources.ts', import.meta.url).href
const NODE = fileURLToPath(new URL('../../fixtures/execution/warm-docker-node.ts', import.meta.url))
const UID = 2_000_100_500
const docker = new Docker()

type Seen = Record<string, unknown> & { host: string; processes: string[]; status: string; mounts: string[] }

/** Without what differs from container to container, and what is mounted at /code. */
function seenIn(output: string) {
  const { host } = JSON.parse(output) as Seen
  const { pid: _, processes, status, mounts, ...rest } = JSON.parse(output.replaceAll(host, 'NAME')) as Seen
  const isCode = (mount: string) => mount.startsWith('/code ')
  const others = mounts.filter((mount) => !isCode(mount))
  const own = { processes: processes.length, status: status.replace(/^NSpid.*$/m, ''), mounts: others }
  return { seen: { ...rest, ...own }, code: mounts.filter(isCode) }
}

describe.skipIf(!needs('engine') || !needs('root'))('containers that are kept warm', () => {
  let dirs: RunDirs & AsyncDisposable
  let executor: Executor & AsyncDisposable
  beforeEach(async () => {
    dirs = await makeRunDirs()
    executor = warmDocker(dirs)
  })
  afterEach(async () => {
    await executor[Symbol.asyncDispose]()
    await using after = warmDocker(dirs)
    for (const { run } of await after.adopt()) await after.remove(run.handle)
    await dirs[Symbol.asyncDispose]()
  })

  const containers = () => containersOf(dirs)
  const left = () => leftOf(dirs)
  const run = async (change: PlanChange = {}, script = 'console.log("here")') => {
    const plan = await planFor(executor, dirs, script, change)
    let start: string | undefined
    const outcome = await runToEnd(executor, plan, async (begun) => {
      start = begun.start
    })
    return { start, exitCode: outcome.end.exitCode, out: outcome.out }
  }
  const startNode = async (socketPath?: string) => {
    const node = runNode([`--import=${BUILT}`, NODE, JSON.stringify({ dirs, socketPath })], { env: {}, stdin: true })
    await node.line((line) => line === 'idle')
    return node
  }

  it.each(['SIGKILL', 'SIGTERM'] as const)('end with their node (%s); the next one removes them', async (signal) => {
    const node = await startNode()
    expect((await containers()).map(({ state }) => state)).toEqual(['running', 'running'])
    await node.end(signal)
    await until(async () => (await containers()).every(({ state }) => state === 'exited'))
    expect(await executor.adopt()).toEqual([])
    await executor[Symbol.asyncDispose]()
    expect(await left()).toEqual(CLEAN)
  })

  it.each([
    ['before the engine knows whose it is', false, []],
    ['when the engine knows whose it is, and the program does not', true, ['prepared']],
  ] as const)('of a node that is killed %s begin nothing', async (_, passes, states) => {
    const plan = await planFor(executor, dirs, `require('fs').writeFileSync('/work/x', ''); console.log('began')`)
    const killed: { kill?: () => void } = {}
    const wanted = `rename?name=thundercloud-${plan.runId}`
    await using proxy = await startEngineProxy(join(dirs.base, 'engine'), (request) => {
      if (!request.endsWith(wanted)) return true
      if (!passes) killed.kill?.()
      else setTimeout(() => killed.kill?.())
      return passes
    })
    const node = await startNode(proxy.path)
    killed.kill = () => void node.child.kill('SIGKILL')
    node.child.stdin?.write(`${JSON.stringify(plan)}\n`)
    await node.ended()
    // its gateway knows a run, and waits for the node that comes back
    const programs = async () => (await containers()).filter(({ name }) => !name.endsWith('-gateway'))
    await until(async () => (await programs()).every(({ state }) => state === 'exited'))
    const found = await executor.adopt()
    expect(found.map(({ state }) => state)).toEqual(states)
    for (const { run: one } of found) await executor.remove(one.handle)
    expect((await linesOf(plan.logDir)).out).toEqual([])
    expect(await containers()).toEqual([])
  })

  it('are found again when their node was killed after the order, and lose nothing', async () => {
    const script = `console.log('one'); setTimeout(() => console.log('two'), 1500)`
    const plan = await planFor(executor, dirs, script)
    const node = await startNode()
    node.child.stdin?.write(`${JSON.stringify(plan)}\n`)
    expect(await node.line((line) => line.startsWith('begun'))).toBe('begun: warm start')
    await node.end('SIGKILL')
    const [found, ...others] = await executor.adopt()
    expect([found?.runId, found?.state, found?.run.start, others]).toEqual([plan.runId, 'running', 'warm start', []])
    expect((await found?.run.wait())?.exitCode).toBe(0)
    expect((await linesOf(plan.logDir)).out).toEqual(['one', 'two'])
    await executor.remove(found?.run.handle)
    await executor[Symbol.asyncDispose]()
    expect(await left()).toMatchObject({ containers: [], mounts: 0 })
  })

  it('are replaced when they were ended from outside; a start meanwhile is cold', async () => {
    await executor.keepWarm?.(ONE_PROGRAM)
    const [program] = (await containers()).filter(({ name }) => !name.endsWith('-gateway'))
    await docker.getContainer(program?.id ?? '').kill()
    await until(async () => (await containers()).every(({ id }) => id !== program?.id))
    expect(await run()).toEqual({ start: 'cold start: none of its class was idle', exitCode: 0, out: ['here'] })
    await executor.keepWarm?.(ONE_PROGRAM)
    expect(await run()).toMatchObject({ start: 'warm start' })
  })

  it('start cold where the engine does not show code that is mounted later', async () => {
    await executor.keepWarm?.(ONE_PROGRAM)
    const propagate = (how: string) => {
      const args = [how, join(dirs.runtime, 'warm-code')]
      return runProcess(system.clock, { kind: 'tool', program: findProgram('mount') ?? '', args }, { timeoutMs: 5000 })
    }
    await propagate('--make-private')
    expect(await run()).toEqual({ start: 'cold start: a warm container failed', exitCode: 0, out: ['here'] })
    await propagate('--make-shared')
    await executor.keepWarm?.(ONE_PROGRAM)
    expect(await run()).toMatchObject({
      start: 'cold start: the engine does not show code that is mounted later',
      exitCode: 0,
    })
  })

  it('are thrown away where the image of their toolchain is another by now', async () => {
    const image = `thundercloud-test/${basename(dirs.base).toLowerCase()}`
    const tag = async (id: string) => docker.getImage(id).tag({ repo: image, tag: 'latest' })
    await tag(nodeImageTag())
    await using tagged = warmDocker(dirs, { toolchains: { 'node.js': { image: `${image}:latest` } } })
    await tagged.keepWarm?.(ONE_PROGRAM)
    const container = await docker.createContainer({ Image: image, Cmd: ['true'] })
    const { Id } = (await container.commit({ repo: image, tag: 'latest' })) as { Id: string }
    await container.remove()
    try {
      const begun = await tagged.start(await planFor(tagged, dirs, ''))
      const info = await docker.getContainer((begun.handle as { name: string }).name).inspect()
      expect([begun.start, info.Image]).toEqual(['cold start: none of its class was idle', Id])
      expect((await begun.wait()).exitCode).toBe(0)
      await tagged.remove(begun.handle)
    } finally {
      await tagged.keepWarm?.(NOTHING)
      await docker.getImage(`${image}:latest`).remove()
    }
  })

  it('are made again where the policy is another, and none where it wants none', async () => {
    await executor.keepWarm?.(WARM)
    const before = await containers()
    await executor.keepWarm?.(WARM, { renew: true })
    const after = await containers()
    expect([before.length, after.length]).toEqual([3, 3])
    expect(after.filter(({ id }) => before.some((other) => other.id === id))).toEqual([])
    await executor.keepWarm?.({ ...WARM, freeBytes: () => 100 * MIB })
    expect(await containers()).toHaveLength(1)
    await executor.keepWarm?.(NOTHING)
    await executor[Symbol.asyncDispose]()
    expect(await left()).toEqual(CLEAN)
  })

  it('lose nothing of what a program writes, however soon it ends', async () => {
    for (let round = 0; round < 5; round++) {
      await executor.keepWarm?.(ONE_PROGRAM)
      const outcome = await run({}, `require('fs').writeSync(1, 'said\\n'); process.reallyExit(3)`)
      expect(outcome).toEqual({ start: 'warm start', exitCode: 3, out: ['said'] })
    }
  })

  it('are used once, each as another user, which leaves nothing', async () => {
    const script = `const { readdirSync, writeFileSync } = require('fs')
      const places = ['/work', '/tmp', '/dev/shm']
      try { writeFileSync('/code/x', '') } catch ({ code }) { console.log(code) }
      console.log(JSON.stringify([process.getuid(), places.flatMap((dir) => readdirSync(dir)), readdirSync('/code')]))
      for (const dir of places) writeFileSync(dir + '/left', 'x')`
    const seen: unknown[][] = []
    for (let round = 0; round < 3; round++) {
      await executor.keepWarm?.(ONE_PROGRAM)
      const { start, out } = await run({}, script)
      expect([start, out[0]]).toEqual(['warm start', 'EROFS'])
      seen.push(JSON.parse(out[1] ?? '[]'))
    }
    expect(new Set(seen.map(([uid]) => uid)).size).toBe(3)
    expect(seen.map(([, ...found]) => found)).toEqual(Array(3).fill([[], ['below', 'main.js']]))
  })

  it.each<[string, PlanChange, string]>([
    ['in a Node.js', { env: { GREETING: 'hello', HOME: '/tmp' } }, 'warm start'],
    ['beside a gateway', { env: { TZ: "it's $HOME\n", HOME: '/tmp' } }, 'its gateway was warm'],
  ])('show a program what it sees in a cold start: %s', async (_, more, start) => {
    const change = { command: ['node', 'main.js', 'one', '--two', "it's", 'a\nb'], workdir: 'below', ...more }
    const codeDir = await writeCode(dirs, { 'below/main.js': LOOK })
    const look = async () => {
      const { start: how, out } = await run({ ...change, codeDir, uid: UID })
      return { how, ...seenIn(out[0] ?? '') }
    }
    const fresh = await look()
    await executor.keepWarm?.(WARM)
    const warm = await look()
    expect([fresh.how, warm.how]).toEqual([undefined, expect.stringContaining(start)])
    expect(warm.seen).toEqual(fresh.seen)
    // above the folder of what waited
    expect(warm.code.filter((mount) => mount.startsWith('/code ro,'))).toHaveLength(1)
  })

  it.each<[string, PlanChange, string]>([
    ['options', { command: ['node', '--no-warnings', 'main.js'] }, 'its command is not "node FILE"'],
    ['another program', { command: ['sh', '-c', 'node main.js'] }, 'its command is not "node FILE"'],
    ['a variable', { env: { NODE_ENV: 'production' } }, 'its environment sets NODE_ENV'],
    ['another grant', { grant: { memoryBytes: 200 * MIB } }, 'LIMITS.WARM has no class with its grant: memory 200'],
    ['files', { files: { '/etc/x': 'x' } }, 'it sees files of this machine'],
  ])('are but a gateway to a run with %s', async (_, change, why) => {
    await executor.keepWarm?.(WARM)
    expect(await run(change)).toEqual({
      start: expect.stringContaining(`its gateway was warm, its program started cold: ${why}`),
      exitCode: 0,
      out: ['here'],
    })
  })

  it('keep gateways only where the node is not root', async () => {
    await using ordinary = dockerExecutor(dirs)
    await ordinary.keepWarm?.(WARM)
    expect(await containers()).toHaveLength(1)
    const begun = await ordinary.start(await planFor(ordinary, dirs, ''))
    expect(begun.start).toMatch(/^its gateway was warm, .* only a node that is root can show its code/)
    await begun.wait()
    await ordinary.remove(begun.handle)
  })
})
