import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runNode } from '../../fixtures/program/process.ts'
import {
  byName,
  configOf,
  isAlive,
  REDIRECTS,
  runnerWithMessage,
  SHORT,
  serviceOf,
  snapshotOf,
  startedRunner,
} from '../../fixtures/runner/runners.ts'

describe('a module that does what it should', () => {
  it('is loaded in another process and answers', async () => {
    await using runner = await startedRunner(byName({}))
    const reasons = [{ rule: 'mine', needs: { field: 'x' } }]
    expect(await runner.decide()).toMatchObject({ run: false, redirect: true, reasons })
    expect(runner.host.stats()).toMatchObject({ decided: 1, failed: 0, died: 0 })
    expect(runner.host.stats().pid).not.toBe(process.pid)
    expect(runner.reported.map(({ name }) => name)).toEqual(['runner:loaded'])
  })

  it('gets the snapshot, a log and a signal', async () => {
    const seen = `const { log, signal, own, now, depth, capacity, config } = node; log.warn('seen', { name: service.name })`
    const facts = '{ depth, own, now, free: capacity.runs, max: config.DESC_MAX_LEN, aborted: signal.aborted }'
    await using runner = await startedRunner(runnerWithMessage(`JSON.stringify(${facts})`, seen))
    const snapshot = snapshotOf(runner.config, { depth: 2 })
    const { own, now } = snapshot
    const { reasons } = await runner.decide({}, snapshot)
    expect(JSON.parse(reasons[0]?.message ?? '')).toEqual({ depth: 2, own, now, free: 4, max: 200, aborted: false })
    expect(runner.lines.join()).toContain('runner: seen')
  })

  it('sees all that is known of a service, and may wait for a delegation', async () => {
    const code = `export default (service, { attestations, quorum, inTree, frozen }) => {
      const message = JSON.stringify({ attestations, quorum, inTree, frozen })
      return { run: false, redirect: true, park: [{ on: 'delegation', author: service.author }],
        reasons: [{ rule: 'facts', outcome: 'defer', message }] }
    }`
    await using runner = await startedRunner(code)
    const severe = { severity: 'high', report: 'https://hub.example/7' } as const
    const known = {
      attestations: [{ hub: 'h', verdict: 'unsafe', issued: 1, expires: 2, ...severe } as const],
      quorum: { hubs: 1, weight: 2, met: false },
      inTree: true,
      frozen: [{ hub: 'h', chain: 'btc', amount: '0.5' }],
    }
    const { reasons, park } = await runner.decide({}, snapshotOf(runner.config, known))
    expect(JSON.parse(reasons[0]?.message ?? '')).toEqual(known)
    expect(park).toEqual([{ on: 'delegation', author: serviceOf().author }])
  })

  it('may have the first form: one argument, globals, and nothing returned means drop', async () => {
    await using runner = await startedRunner(`export default async service => {
      if (typeof service.title === 'string' && service.desc.length < RUNNER_CONFIGS.DESC_MAX_LEN) {
        LOG({ data: \`Received new service \\x1b[31;1m\${service.desc}\\x1b[0m\`, pid: process.pid }, 'CD')
        return ${REDIRECTS}
      }
    }`)
    expect(await runner.decide({ desc: 'x'.repeat(199) })).toMatchObject({ redirect: true })
    const dropped = await runner.decide({ desc: 'x'.repeat(200) })
    expect(dropped).toMatchObject({ run: false, redirect: false })
    expect(dropped.reasons).toHaveLength(1)
    expect(runner.lines.join()).toContain('Received new service xxx')
  })

  it('is shared by nodes whose configurations differ', async () => {
    const code = `export default async service => { await null; return { run: false, redirect: RUNNER_CONFIGS.DESC_MAX_LEN > 50, reasons: [] } }`
    await using runner = await startedRunner(code)
    const configs = [10, 100, 20, 200].map((DESC_MAX_LEN) => configOf({ DESC_MAX_LEN }))
    const verdicts = await Promise.all(configs.map((config) => runner.decide({}, snapshotOf(config))))
    expect(verdicts.map(({ redirect }) => redirect)).toEqual([false, true, false, true])
  })

  it('keeps more facts apart than it remembers', async () => {
    const code = `export default (service, node) => ({ run: false, redirect: node.capacity.runs === service.seq && node.config.DESC_MAX_LEN === service.seq, reasons: [] })`
    await using runner = await startedRunner(code)
    const snapshots = Array.from({ length: 150 }, (_, seq) => {
      const snapshot = snapshotOf(configOf({ DESC_MAX_LEN: seq }))
      return { ...snapshot, capacity: { ...snapshot.capacity, runs: seq } }
    })
    const asked = [...snapshots.keys(), ...snapshots.keys()]
    const verdicts = await Promise.all(asked.map((seq) => runner.decide({ seq }, snapshots[seq])))
    expect(verdicts.every(({ redirect }) => redirect)).toBe(true)
  })

  it('may be TypeScript, and import the package from any folder', async () => {
    const code = `import andromeda from 'thundercloud/andromeda'
      import type { ReceivedService, RunnerContext, Verdict } from 'thundercloud/runner-kit'
      export default function (service: ReceivedService, node: RunnerContext): Verdict { return andromeda(service, node) }`
    await using runner = await startedRunner({ 'mine/runner.ts': code }, {}, 'mine/runner.ts')
    const granted = { executor: 'docker', memoryBytes: 64 * 1024 * 1024, network: { mode: 'none' } }
    expect((await runner.decide()).run).toMatchObject(granted)
  })

  it('prints into the log of the node, and finds no environment', async () => {
    const printed = `'hello\\u001b[2J', Object.keys(process.env).length, process.cwd()`
    await using runner = await startedRunner(`console.log(${printed}); export default () => {}`)
    await runner.decide()
    expect(runner.lines.join()).toContain('hello\ufffd[2J 0 /')
  })
})

describe('a module that reaches out', () => {
  const attempts = {
    signal: `process.kill(process.ppid, 'SIGKILL')`,
    shadowed: `Object.getPrototypeOf(process).kill?.call(process, process.ppid, 9); process._kill(process.ppid, 9)`,
    read: `fs.readFileSync('/etc/passwd')`,
    proc: `fs.readFileSync('/proc/' + process.ppid + '/environ')`,
    write: `fs.writeFileSync('/tmp/thundercloud-runner-was-here', 'x')`,
    spawn: `cp.spawnSync('id')`,
    worker: `new wt.Worker('1', { eval: true })`,
    listen: `net.createServer().listen(0)`,
    binding: `process.binding('fs')`,
    sqlite: `if (!process.getBuiltinModule('node:sqlite')) throw Object.assign(new Error('no sqlite'), { code: 'ERR_NO' })`,
    wasi: `new (process.getBuiltinModule('node:wasi').WASI)({ version: 'preview1' })`,
    dlopen: `process.dlopen({ exports: {} }, '/nowhere.node')`,
    inspector: `process.getBuiltinModule('node:inspector').open(0)`,
  }
  const code = (extra = '') => `
    import fs from 'node:fs'; import net from 'node:net'; import cp from 'node:child_process'; import wt from 'node:worker_threads'
    process.on('uncaughtException', () => {})
    const attempts = { ${Object.entries(attempts).map(([name, text]) => `${name}: () => { ${text} }`)} }
    ${extra}
    ${runnerWithMessage('message', `let message = 'it worked'; try { await attempts[service.name]() } catch (error) { message = error.code ?? error.message }`)}`

  it('is refused by the system', async () => {
    await using runner = await startedRunner(code(), { limits: SHORT })
    for (const name of Object.keys(attempts)) {
      const outcome = await runner.says({ name }).catch((error) => error.kind)
      expect(outcome, name).toMatch(/^(ERR_|EPERM|EACCES|a runner may not|died)/)
    }
  })

  it.each([
    ['cannot connect', false, 'ERR_ACCESS_DENIED'],
    ['can where the operator says RUNNER_NETWORK', true, 'ECONNREFUSED'],
  ])('%s', async (_says, network, expected) => {
    const connect = `attempts.connect = () => new Promise((resolve, reject) => net.connect(9, '127.0.0.1').on('connect', resolve).on('error', reject))`
    await using runner = await startedRunner(code(connect), { network, limits: SHORT })
    expect(await runner.says({ name: 'connect' })).toBe(expected)
  })

  it.runIf(process.getuid?.() === 0)("runs as nobody where the node is root, in a folder of root's", async () => {
    const whoami = `attempts.who = () => { throw new Error([process.getuid(), process.getgid(), process.getgroups(), list.length].join()) }`
    const files = {
      'mine/runner.mjs': `import { list } from './list.mjs'; ${code(whoami)}`,
      'mine/list.mjs': 'export const list = [1, 2, 3]',
    }
    await using runner = await startedRunner(files, { limits: SHORT })
    expect(await runner.says({ name: 'who' })).toBe('65534,65534,65534,3')
  })
})

describe('the host', () => {
  it('stops waiting when the signal says so', async () => {
    await using runner = await startedRunner(byName({ never: 'return new Promise(() => {})' }))
    const controller = new AbortController()
    const ask = (name: string) =>
      runner.host.decide(serviceOf({ name }), snapshotOf(runner.config), { signal: controller.signal })
    const asked = ask('never')
    controller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    await expect(ask('hello')).rejects.toThrow('enough')
    expect(await runner.decide()).toMatchObject({ redirect: true })
  })

  it('leaves no process behind', async () => {
    let pid: number | undefined
    {
      await using runner = await startedRunner(byName({ hang: 'for (;;);' }))
      pid = runner.host.stats().pid
      expect(isAlive(pid)).toBe(true)
      const hanging = runner.fails({ name: 'hang' })
      await runner.host[Symbol.asyncDispose]()
      expect((await hanging).name).toBe('UnavailableError')
    }
    expect(isAlive(pid)).toBe(false)
  })

  it('takes a hanging runner with it when it is killed itself', async () => {
    const script = `
      import { byName, startedRunner } from ${JSON.stringify(import.meta.resolve('../../fixtures/runner/runners.ts'))}
      const runner = await startedRunner(byName({ hang: 'for (;;);' }), { limits: { timeoutMs: 60_000 } })
      const { pid } = runner.host.stats()
      process.stdout.write(JSON.stringify({ pid, root: runner.root }) + '\\n')
      await runner.decide({ name: 'hang' })`
    const flags = ['--conditions=thundercloud-source', '--input-type=module', '--eval', script]
    const parent = runNode(flags, { env: {} })
    const { pid, root } = JSON.parse(await parent.line(() => true)) as { pid: number; root: string }
    expect(isAlive(pid)).toBe(true)
    await parent.end('SIGKILL')
    await expect.poll(() => isAlive(pid)).toBe(false)
    rmSync(root, { recursive: true })
  })

  it('does not blame a runner for a pause of its own', async () => {
    await using runner = await startedRunner(byName({}), { limits: { timeoutMs: 200 } })
    const asked = Array.from({ length: 20 }, () => runner.decide())
    await Promise.resolve()
    for (const until = performance.now() + 900; performance.now() < until; );
    await Promise.all(asked)
    // A process that was ended could not answer once more.
    await runner.decide()
    expect(runner.host.stats()).toMatchObject({ decided: 21, died: 0 })
  })
})
