import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { RunRecord } from '../../../src/base/run-record.ts'
import type { ExecutorName } from '../../../src/base/verdict.ts'
import type { Executor } from '../../../src/execution/index.ts'
import { openJournal } from '../../../src/journal/index.ts'
import { type OwnEngine, startOwnEngine } from '../../fixtures/execution/isolated-docker.ts'
import { executorsOf, type VictimInput } from '../../fixtures/execution/killable-process.ts'
import { grantOf, linesOf, makeRunDirs, type RunDirs, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const BUILT = new URL('../../built-sources.ts', import.meta.url).href
const VICTIM = fileURLToPath(new URL('../../fixtures/execution/killable-process.ts', import.meta.url))

type Event = { name: string; state?: string; running?: string[]; text?: string }

/** A process with a supervisor, and what it says. */
function victim(input: VictimInput) {
  const flags = [`--import=${BUILT}`, VICTIM, JSON.stringify(input)]
  const child: ChildProcess = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] })
  const heard: Event[] = []
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => heard.push(JSON.parse(line)))
  return {
    heard,
    hears: (match: (event: Event) => boolean) => until(async () => heard.find(match)),
    enters: (state: string) => until(async () => heard.find((event) => event.state === state)),
    say: (line: string) => void child.stdin?.write(`${line}\n`),
    async kill() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
    async quit() {
      child.stdin?.write('quit\n')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      expect(child.exitCode).toBe(0)
    },
  }
}

describe.each([
  ['host', 'bubblewrap'],
  ['docker', 'engine'],
  ['docker', 'own-engine'],
] as const)('a node on %s (%s) that is killed', (name: ExecutorName, need) => {
  describe.skipIf(!needs(need))('with SIGKILL', () => {
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    let base: Omit<VictimInput, 'run'>
    const victims: { kill(): Promise<void> }[] = []
    const nodeId = `kill-${name}-${process.pid}`
    /** as on another machine: nothing of this one is seen there */
    let apart: OwnEngine | undefined
    beforeAll(async () => {
      if (need === 'own-engine') apart = await startOwnEngine()
    })
    afterAll(() => apart?.[Symbol.asyncDispose]())

    beforeEach(async () => {
      dirs = await makeRunDirs()
      executor = executorsOf(dirs, nodeId, apart?.config)[name]
      const script = `console.log('begin'); process.on('SIGTERM', () => {}); const [, , what] = process.argv
        if (what === 'task') setTimeout(() => console.log('end'), 1500); else setInterval(() => {}, 1000)
        if (what === 'server') require('net').createServer(s => s.on('error', () => {}).end('it is me')).listen(8080, '127.0.0.1')`
      const codeDir = await writeCode(dirs, { 'main.js': script })
      base = { dirs, nodeId, codeDir, fetchMs: 0, graceMs: 300, docker: apart?.config }
    })
    afterEach(async () => {
      for (const one of victims.splice(0)) await one.kill()
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await dirs[Symbol.asyncDispose]()
    })

    const run = (kind: 'task' | 'service', what: string = kind) => ({
      grant: grantOf(name),
      service: {
        ...{
          id: 'service-1',
          author: 'own',
          code: 'bafyreibc5fdmlzydzzp4kzfrqu6wplovoyfm4qq6dubs3zzbtnrv43p62y',
          toolchain: ['node.js'],
        },
        run: {
          ...{ command: ['node', 'main.js', what], kind },
          ports: what === 'server' ? [{ name: 'http', port: 8080, access: 'any' as const }] : [],
        },
        expires: Math.floor(Date.now() / 1000) + 3600,
      },
    })
    const start = (input: Partial<VictimInput> = {}) => {
      const one = victim({ ...base, ...input })
      victims.push(one)
      return one
    }
    const journal = (): RunRecord | undefined => {
      using opened = openJournal({ path: join(dirs.base, 'journal.db'), clock: systemClock(), log: silentLog() })
      return opened.runs.ofService('service-1') as RunRecord | undefined
    }
    const begins = async () =>
      (await linesOf(join(dirs.logs, 'service-1'))).out.filter((line) => line === 'begin').length
    /** What the engine has, by its own account. */
    const engine = async () => (await executor.adopt()).map(({ runId, state }) => ({ runId, state }))

    /** Journal and engine say the same, and the service has begun so many times in all. */
    async function expectRunning(times: number): Promise<void> {
      await until(async () => (await begins()) === times)
      const record = journal()
      expect(record).toMatchObject({ state: 'running', wanted: 'run' })
      expect(await engine()).toEqual([{ runId: record?.runId, state: 'running' }])
    }

    async function expectNothingLeft(): Promise<void> {
      expect(await engine()).toEqual([])
      expect(await readdir(dirs.runs)).toEqual([])
      expect(await readdir(dirs.runtime)).toEqual([])
      if (apart !== undefined) expect(await apart.left()).toEqual([])
      const all = await readFile('/proc/mounts', 'utf8')
      expect(all).not.toContain(dirs.base)
    }

    async function stopAll(node: ReturnType<typeof start>): Promise<void> {
      node.say('stop')
      await node.hears((event) => event.name === 'all stopped')
      await node.quit()
      expect(journal()).toMatchObject({ state: 'stopped', wanted: 'stop' })
      await expectNothingLeft()
    }

    it('while fetching: it fetches again and runs once', async () => {
      const first = start({ run: run('service'), fetchMs: 60_000 })
      await first.enters('fetching')
      await first.kill()
      expect(journal()?.state).toBe('fetching')
      const second = start()
      await second.enters('running')
      await expectRunning(1)
      await stopAll(second)
    })

    it.each([0, 15, 40, 80, 150, 300])('%i ms into starting: it runs once', async (delay) => {
      const first = start({ run: run('service') })
      await first.enters('starting')
      await new Promise((resolve) => setTimeout(resolve, delay))
      await first.kill()
      expect(journal()?.state).toMatch(/starting|running/)
      const second = start()
      await second.enters('running')
      await expectRunning(1)
      await stopAll(second)
    })

    it('while it runs: it goes on, and is found', async () => {
      const first = start({ run: run('service') })
      await first.enters('running')
      await until(async () => (await begins()) === 1)
      const before = await engine()
      await first.kill()
      expect(await engine()).toEqual(before)
      const second = start()
      await second.hears((event) => event.name === 'booted')
      await second.hears((event) => event.name === 'execution:healthy')
      await expectRunning(1)
      expect(await engine()).toEqual(before)
      await stopAll(second)
    })

    it('while it is talked to: the way to it opens again', async () => {
      const first = start({ run: run('service', 'server') })
      await first.hears((event) => event.name === 'execution:healthy')
      first.say('talk')
      await first.hears(({ text }) => text === 'it is me')
      first.say('talk')
      await first.kill()
      const second = start()
      await second.hears((event) => event.name === 'execution:healthy')
      second.say('talk')
      await second.hears(({ text }) => text === 'it is me')
      await expectRunning(1)
      await stopAll(second)
    })

    it('while stopping: the stop is finished', async () => {
      // it is killed while the service, which does not obey, has its time to
      const first = start({ run: run('service'), graceMs: 1500 })
      await first.enters('running')
      await until(async () => (await begins()) === 1)
      first.say('stop')
      await until(async () => journal()?.wanted === 'stop')
      await first.kill()
      const second = start()
      await second.enters('stopped')
      await until(async () => (await engine()).length === 0)
      await second.quit()
      expect(journal()).toMatchObject({ state: 'stopped', detail: 'asked by the test' })
      expect(await begins()).toBe(1)
      await expectNothingLeft()
    })

    it('during a task: it is never done twice, and its end is known', async () => {
      const first = start({ run: run('task') })
      await first.enters('running')
      await until(async () => (await begins()) === 1)
      await first.kill()
      // it ends while no node is there
      await until(async () => (await engine()).every(({ state }) => state !== 'running'))
      const second = start({ run: run('task') })
      await second.enters('exited')
      await second.quit()
      expect(journal()).toMatchObject({ state: 'exited', exitCode: 0 })
      expect((await linesOf(join(dirs.logs, 'service-1'))).out).toEqual(['begin', 'end'])
      const third = start({ run: run('task') })
      await third.hears((event) => event.name === 'booted')
      await third.quit()
      expect(await begins()).toBe(1)
      await expectNothingLeft()
    })

    it('again and again: still one run', async () => {
      const first = start({ run: run('service') })
      await first.enters('starting')
      await first.kill()
      for (let n = 0; n < 4; n++) {
        const next = start()
        await new Promise((resolve) => setTimeout(resolve, 150 + 130 * n))
        await next.kill()
      }
      const last = start()
      await last.enters('running')
      await expectRunning(1)
      await stopAll(last)
    })
  })
})
