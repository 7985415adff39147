import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Executor, Supervisor } from '../../../src/execution/index.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { engineOf, PLACES } from '../../fixtures/execution/places.ts'
import {
  grantOf,
  linesOf,
  makeRunDirs,
  type RunDirs,
  talk,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { serviceOf as service, supervise } from '../../fixtures/execution/supervised.ts'
import { openRelay } from '../../fixtures/net.ts'
import { needs } from '../../require.ts'

const SERVER = `const { readFileSync } = require('fs')
  console.log('serving'); require('net').createServer(s => s.on('error', () => {}).end(readFileSync('/code/answer.txt'))).listen(8080, '127.0.0.1')`

const serviceOf = (run: object, id?: string) => service({ ports: [{ name: 'http', port: 8080 }], ...run }, id)
const over = async (dirs: RunDirs, executor: Executor, files: Record<string, string>) => {
  const dir = await writeCode(dirs, files)
  const code = { obtain: async () => ({ dir, release: async () => {} }), keep: () => new DisposableStack() }
  return supervise(dirs, { executors: [executor], code, graceMs: 2000, stopOnClose: true })
}

describe.each(PLACES.filter(({ need }) => needs(need)))(
  'a service supervised on $name ($need)',
  ({ name, need, create }) => {
    /** as on another machine: nothing of this one is seen there */
    const apart = engineOf({ need })
    let dirs: RunDirs & AsyncDisposable
    let part: Awaited<ReturnType<typeof over>>
    let executor: Executor
    let supervisor: Supervisor
    beforeEach(async () => {
      dirs = await makeRunDirs()
      executor = create(dirs, { docker: apart()?.config ?? {} })
    })
    afterEach(async () => {
      await part.close()
      expect(await executor.adopt()).toEqual([])
      expect((await apart()?.left()) ?? []).toEqual([])
      await dirs[Symbol.asyncDispose]()
    })
    const open = async (files: Record<string, string>) => {
      part = await over(dirs, executor, files)
      supervisor = part.supervisor
      await supervisor.boot()
    }
    const record = (id = 'service-1') => supervisor.status(id)?.record
    const healthy = () => until(async () => supervisor.status('service-1')?.healthy)

    it('is built, run, reached by its port’s name, and its log followed', async () => {
      const build = `require('fs').writeFileSync('answer.txt', 'built'); console.log('building')`
      await open({ 'main.js': SERVER, 'build.js': build })
      supervisor.run(serviceOf({ build: ['node', 'build.js'] }), grantOf(name))
      await healthy()
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

    it('is built once for all that build the same, also by the next node; another environment or command builds again', async () => {
      const files = {
        'main.js': SERVER,
        'build.js': `require('fs').writeFileSync('answer.txt', require('crypto').randomUUID())`,
      }
      await open(files)
      const answerOf = async (run: object = {}, id = 'service-1') => {
        supervisor.run(serviceOf({ build: ['node', 'build.js'], ...run }, id), grantOf(name))
        const answer = await talk(await supervisor.connect(id, 'http'), '')
        await supervisor.stop(id, { why: 'test' })
        return answer
      }
      const first = await answerOf()
      expect(await answerOf()).toBe(first)
      await part.close()
      await open(files)
      expect(await answerOf({}, 'service-2')).toBe(first)
      const { node } = await linesOf(join(dirs.logs, 'service-2'))
      expect(node).toContain('building: the output of an earlier build is used')
      const others = [await answerOf({ env: { A: '1' } }), await answerOf({ build: ['node', './build.js'] })]
      expect(new Set([first, ...others]).size).toBe(3)
    })

    it('whose build fails, or floods the disk, is not run', async () => {
      await open({ 'main.js': SERVER })
      supervisor.run(serviceOf({ build: ['node', '-e', 'process.exit(3)'] }), grantOf(name))
      await until(async () => record()?.state === 'failed')
      expect(record()?.detail).toMatch(/^the build ended with exit code 3; it had no network: /)
      const flood = `const fs = require('fs'); for (let n = 0; ; n++) fs.writeFileSync('f' + n, Buffer.alloc(1 << 20))`
      supervisor.run(serviceOf({ build: ['node', '-e', flood] }), grantOf(name, { diskBytes: 64 * 2 ** 20 }))
      await until(async () => supervisor.running().length === 0)
      expect(record()?.detail).toMatch(/wrote more than the 67108864 bytes/)
    })

    it('is begun again when it dies, and ended when its time is over', async () => {
      await open({ 'main.js': `console.log('begin'); setTimeout(() => process.exit(1), 100)` })
      supervisor.run(serviceOf({ ports: [] }), grantOf(name))
      await until(async () => (record()?.restarts ?? 0) >= 2)
      await supervisor.stop('service-1', { why: 'test' })
      const forever = { kind: 'task', command: ['node', '-e', 'setInterval(() => {}, 1000)'], ports: [], timeout: 1 }
      supervisor.run(serviceOf(forever, 'service-2'), grantOf(name))
      await until(async () => record('service-2')?.state === 'failed')
      expect(record('service-2')?.detail).toBe('its time limit of 1s, set by the service (run.timeout), was over')
    })

    it('leaves nothing when the node closes', async () => {
      await open({ 'main.js': SERVER, 'answer.txt': 'here' })
      supervisor.run(serviceOf({}), grantOf(name))
      await healthy()
      await supervisor[Symbol.asyncDispose]()
      expect(await executor.adopt()).toEqual([])
      expect(part.journal.ofService('service-1')?.state).toBe('starting')
    })
  },
)

describe.each(['engine', 'own-engine'] as const)('an engine (%s) that goes away under a run', (need) => {
  it.skipIf(!needs(need))('is waited for; the run is found again, and not begun twice', async () => {
    await using dirs = await makeRunDirs()
    await using apart = need === 'engine' ? undefined : await startOwnEngine()
    const proxy = await openRelay(apart === undefined ? { path: '/var/run/docker.sock' } : apart.config)
    const executor = dockerExecutor(dirs, { docker: { ...apart?.config, host: '127.0.0.1', port: proxy.port } })
    const part = await over(dirs, executor, { 'main.js': SERVER, 'answer.txt': 'still here' })
    const status = () => part.supervisor.status('service-1')
    const reported: boolean[] = []
    part.events.on('execution:executor', ({ available }) => reported.push(available))
    try {
      await part.supervisor.boot()
      part.supervisor.run(serviceOf({}), grantOf('docker'))
      await until(async () => status()?.healthy)
      await proxy.cut()
      await until(async () => reported.includes(false))
      expect(status()?.record).toMatchObject({ state: 'running' })
      await proxy.open()
      await until(async () => reported.includes(true))
      expect(await talk(await part.supervisor.connect('service-1', 'http'), '')).toBe('still here')
      expect(status()?.record).toMatchObject({ state: 'running', restarts: 0 })
      await part.supervisor.stop('service-1', { why: 'test' })
      expect(status()?.record).toMatchObject({ state: 'stopped' })
      expect(await executor.adopt()).toEqual([])
    } finally {
      await proxy.open()
      await part.close()
      await proxy.cut()
    }
  })
})
