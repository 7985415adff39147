import { describe, expect, it } from 'vitest'
import { runnerIn, SHORT, serviceOf, snapshotOf } from './support.ts'

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
  const code = (extra: string) => `
    import fs from 'node:fs'; import net from 'node:net'; import cp from 'node:child_process'; import wt from 'node:worker_threads'
    process.on('uncaughtException', () => {})
    const attempts = { ${Object.entries(attempts).map(([name, text]) => `${name}: () => { ${text} }`)} }
    ${extra}
    export default async service => {
      const attempt = attempts[service.name]
      let message = 'it worked'
      try { await attempt() } catch (error) { message = error.code ?? error.message }
      return { run: false, redirect: false, reasons: [{ rule: 'attempt', outcome: 'pass', message }] }
    }`

  it('is refused by the system', async () => {
    await using runner = runnerIn({ 'mine/runner.mjs': code('') }, { limits: SHORT })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    for (const name of Object.keys(attempts)) {
      const outcome = await runner.host.decide(serviceOf({ name }), snapshot).then(
        ({ reasons }) => reasons[0]?.message,
        (error) => error.kind,
      )
      expect(outcome, name).toMatch(/^(ERR_|EPERM|EACCES|a runner may not|died)/)
    }
  })

  it('cannot connect, unless the operator says RUNNER_NETWORK', async () => {
    const connect = `attempts.connect = () => new Promise((resolve, reject) => net.connect(9, '127.0.0.1').on('connect', resolve).on('error', reject))`
    const files = { 'mine/runner.mjs': code(connect) }
    for (const [network, expected] of [
      [false, 'ERR_ACCESS_DENIED'],
      [true, 'ECONNREFUSED'],
    ] as const) {
      await using runner = runnerIn(files, { network, limits: SHORT })
      await runner.host.start()
      const { reasons } = await runner.host.decide(serviceOf({ name: 'connect' }), snapshotOf(runner.config))
      expect(reasons[0]?.message).toBe(expected)
    }
  })

  it.runIf(process.getuid?.() === 0)(
    "runs as nobody where the node is root, though its folder is root's alone",
    async () => {
      const whoami = `attempts.who = () => { throw new Error([process.getuid(), process.getgid(), process.getgroups(), list.length].join()) }`
      const files = {
        'mine/runner.mjs': `import { list } from './list.mjs'; ${code(whoami)}`,
        'mine/list.mjs': 'export const list = [1, 2, 3]',
      }
      await using runner = runnerIn(files, { limits: SHORT })
      await runner.host.start()
      const { reasons } = await runner.host.decide(serviceOf({ name: 'who' }), snapshotOf(runner.config))
      expect(reasons[0]?.message).toBe('65534,65534,65534,3')
    },
  )
})
