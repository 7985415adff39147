import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import {
  createDockerExecutor,
  createSupervisor,
  type ExecutionEvents,
  type Executor,
  type Supervisor,
} from '../../../src/execution/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { executorsOf } from '../../fixtures/execution/killable-process.ts'
import { grantOf, makeRunDirs, type RunDirs, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const LOGS = { maxBytes: 100_000, keep: 1 }

/** A whole execution part over one folder. */
function supervise(dirs: RunDirs, executor: Executor, codeDir: string) {
  const clock = systemClock()
  const events = createEvents<ExecutionEvents>()
  const journal = openJournal({ path: join(dirs.base, 'journal.db'), clock, log: silentLog() })
  const supervisor = createSupervisor(
    {
      ...{ clock, rng: systemRng(), log: silentLog(), events, journal: journal.runs, executors: [executor] },
      code: { obtain: async () => ({ dir: codeDir, release: async () => {} }) },
    },
    {
      dirs: { logs: dirs.logs, builds: dirs.builds },
      healthyMs: () => 1000,
      limits: () => ({ memoryBytes: 2 ** 33, cpuMillicores: 8000, diskBytes: 2 ** 33, pids: 5000, runs: 50 }),
      logs: { ...LOGS, retainSeconds: 3600, totalBytes: 2 ** 30 },
      graceMs: 2000,
      stopOnClose: true,
    },
  )
  const close = async () => {
    await supervisor[Symbol.asyncDispose]()
    journal[Symbol.dispose]()
  }
  return { supervisor, events, journal: journal.runs, close }
}

const SERVER = `const { readFileSync } = require('fs')
  console.log('serving'); require('net').createServer(s => s.on('error', () => {}).end(readFileSync('/code/answer.txt'))).listen(8080, '127.0.0.1')`

function serviceOf(run: object) {
  const base = {
    id: 'service-1',
    author: 'own',
    code: 'bafyreibc5fdmlzydzzp4kzfrqu6wplovoyfm4qq6dubs3zzbtnrv43p62y',
    toolchain: ['node.js'],
    expires: Math.floor(Date.now() / 1000) + 3600,
  }
  return {
    ...base,
    run: { command: ['node', 'main.js'], kind: 'service' as const, ports: [{ name: 'http', port: 8080 }], ...run },
  }
}

describe.each([
  ['host', 'bubblewrap'],
  ['docker', 'engine'],
  ['docker', 'own-engine'],
] as const)('a service supervised on %s (%s)', (name: ExecutorName, need) => {
  describe.skipIf(!needs(need))('for real', () => {
    /** as on another machine: nothing of this one is seen there */
    let apart: OwnEngine | undefined
    beforeAll(async () => {
      if (need === 'own-engine') apart = await startOwnEngine()
    })
    afterAll(() => apart?.[Symbol.asyncDispose]())
    let dirs: RunDirs & AsyncDisposable
    let part: ReturnType<typeof supervise>
    let executor: Executor
    let supervisor: Supervisor
    beforeEach(async () => {
      dirs = await makeRunDirs()
      executor = executorsOf(dirs, `sup-${name}-${process.pid}`, apart?.config)[name]
    })
    afterEach(async () => {
      await part.close()
      expect(await executor.adopt()).toEqual([])
      if (apart !== undefined) expect(await apart.left()).toEqual([])
      await dirs[Symbol.asyncDispose]()
    })
    const open = async (files: Record<string, string>) => {
      part = supervise(dirs, executor, await writeCode(dirs, files))
      supervisor = part.supervisor
      await supervisor.boot()
    }
    const state = () => supervisor.status('service-1')?.record.state

    it('is built, run, reached by its port’s name, and its log followed', async () => {
      await open({
        'main.js': SERVER,
        'build.js': `require('fs').writeFileSync('answer.txt', 'built'); console.log('building')`,
      })
      supervisor.run(serviceOf({ build: ['node', 'build.js'] }), grantOf(name))
      await until(async () => supervisor.status('service-1')?.healthy)
      expect(await talk(await supervisor.connect('service-1', 'http'), '')).toBe('built')
      await expect(supervisor.connect('service-1', 'other')).rejects.toThrow(/declares no port "other"/)
      await expect(supervisor.connect('nobody', 'http')).rejects.toThrow(/does not run here/)

      const seen: string[] = []
      const following = (async () => {
        for await (const { stream, line } of supervisor.logs('service-1', { tail: 100, follow: true }))
          seen.push(`${stream} ${line}`)
      })()
      await until(async () => seen.includes('out serving'))
      await supervisor.stop('service-1', { why: 'test' })
      await following
      expect(seen).toEqual(
        expect.arrayContaining(['out building', 'out serving', 'node running', 'node stopped: exit code 143: test']),
      )
    })

    it('whose build fails, or floods the disk, is not run', async () => {
      await open({ 'main.js': SERVER })
      supervisor.run(serviceOf({ build: ['node', '-e', 'process.exit(3)'] }), grantOf(name))
      await until(async () => state() === 'failed')
      expect(supervisor.status('service-1')?.record.detail).toBe('the build ended with exit code 3')
      const flood = `const fs = require('fs'); for (let n = 0; ; n++) fs.writeFileSync('f' + n, Buffer.alloc(1 << 20))`
      supervisor.run(serviceOf({ build: ['node', '-e', flood] }), grantOf(name, { diskBytes: 64 * 2 ** 20 }))
      await until(async () => supervisor.running().length === 0)
      expect(supervisor.status('service-1')?.record.detail).toMatch(/wrote more than the 67108864 bytes/)
    })

    it('is begun again when it dies, and ended when its time is over', async () => {
      await open({ 'main.js': `console.log('begin'); setTimeout(() => process.exit(1), 100)` })
      supervisor.run(serviceOf({ ports: [] }), grantOf(name))
      await until(async () => (supervisor.status('service-1')?.record.restarts ?? 0) >= 2)
      await supervisor.stop('service-1', { why: 'test' })
      supervisor.run(
        {
          ...serviceOf({ kind: 'task', command: ['node', '-e', 'setInterval(() => {}, 1000)'], ports: [], timeout: 1 }),
          id: 'service-2',
        },
        grantOf(name),
      )
      await until(async () => supervisor.status('service-2')?.record.state === 'failed')
      expect(supervisor.status('service-2')?.record.detail).toBe(
        'its time limit of 1s, set by the service (run.timeout), was over',
      )
    })

    it('leaves nothing when the node closes', async () => {
      await open({ 'main.js': SERVER, 'answer.txt': 'here' })
      supervisor.run(serviceOf({}), grantOf(name))
      await until(async () => supervisor.status('service-1')?.healthy)
      await supervisor[Symbol.asyncDispose]()
      expect(await executor.adopt()).toEqual([])
      expect(part.journal.ofService('service-1')?.state).toBe('starting')
    })
  })
})

describe.each(['engine', 'own-engine'] as const)('an engine (%s) that goes away under a run', (need) => {
  it.skipIf(!needs(need))('is waited for; the run is found again, and not begun twice', async () => {
    await using dirs = await makeRunDirs()
    await using apart = need === 'engine' ? undefined : await startOwnEngine()
    const proxy = await cuttable(apart === undefined ? { path: '/var/run/docker.sock' } : apart.config)
    const executor = createDockerExecutor(
      { clock: systemClock(), log: silentLog() },
      {
        docker: { ...apart?.config, host: '127.0.0.1', port: proxy.port },
        nodeId: `gone-${process.pid}`,
        runtimeDir: dirs.runtime,
        toolchains: { 'node.js': { image: 'thundercloud/node' } },
        registries: [],
        logs: LOGS,
      },
    )
    const part = supervise(dirs, executor, await writeCode(dirs, { 'main.js': SERVER, 'answer.txt': 'still here' }))
    const heard: boolean[] = []
    part.events.on('execution:executor', ({ available }) => heard.push(available))
    try {
      await part.supervisor.boot()
      part.supervisor.run(serviceOf({}), grantOf('docker'))
      await until(async () => part.supervisor.status('service-1')?.healthy)
      await proxy.cut()
      await until(async () => heard.includes(false))
      expect(part.supervisor.status('service-1')?.record).toMatchObject({ state: 'running' })
      await proxy.open()
      await until(async () => heard.includes(true))
      expect(await talk(await part.supervisor.connect('service-1', 'http'), '')).toBe('still here')
      expect(part.supervisor.status('service-1')?.record).toMatchObject({ state: 'running', restarts: 0 })
      await part.supervisor.stop('service-1', { why: 'test' })
      expect(part.supervisor.status('service-1')?.record).toMatchObject({ state: 'stopped' })
      expect(await executor.adopt()).toEqual([])
    } finally {
      await proxy.open()
      await part.close()
      await proxy.cut()
    }
  })
})

/** A way to a socket that can be cut: whoever is on it hears nothing more. */
async function cuttable(to: { path: string } | { host: string; port: number }) {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = 0
  async function open(): Promise<void> {
    if (server !== undefined) return
    const opened = createServer((socket) => {
      const target = 'path' in to ? connect(to.path) : connect(to.port, to.host)
      for (const end of [socket, target]) {
        sockets.add(end)
        end
          .on('error', () => {})
          .on('close', () => {
            sockets.delete(end)
            socket.destroy()
            target.destroy()
          })
      }
      socket.pipe(target).pipe(socket)
    })
    await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve))
    port = (opened.address() as { port: number }).port
    server = opened
  }
  await open()
  return {
    port,
    open,
    async cut() {
      const closed = new Promise((resolve) => server?.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      server = undefined
    },
  }
}
