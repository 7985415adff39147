import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunRecord } from '../../../src/base/run-record.ts'
import type { Executor } from '../../../src/execution/index.ts'
import type { KillableInput } from '../../fixtures/execution/killable-process.ts'
import { engineOf, PLACES } from '../../fixtures/execution/places.ts'
import { grantOf, linesOf, makeRunDirs, type RunDirs, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { openRuns, serviceOf } from '../../fixtures/execution/supervised.ts'
import { runNode } from '../../fixtures/program/process.ts'
import { needs } from '../../require.ts'

const BUILT = new URL('../../built-sources.ts', import.meta.url).href
const PROGRAM = fileURLToPath(new URL('../../fixtures/execution/killable-process.ts', import.meta.url))

type Event = { name: string; state?: string; running?: string[]; text?: string }

/** A process with a supervisor, and what it says. */
function startKillable(input: KillableInput) {
  const program = runNode([`--import=${BUILT}`, PROGRAM, JSON.stringify(input)], { env: {}, stdin: true })
  const say = (line: string) => void program.child.stdin?.write(`${line}\n`)
  const waitForEvent = (match: (event: Event) => boolean) => program.line((line) => match(JSON.parse(line) as Event))
  return {
    say,
    waitForEvent,
    enters: (state: string) => waitForEvent((event) => event.state === state),
    kill: () => program.end('SIGKILL'),
    async quit() {
      say('quit')
      expect(await program.ended(), program.stderr).toBe(0)
    },
  }
}

describe.each(PLACES.filter(({ need }) => needs(need)))(
  'a node on $name ($need) that is killed with SIGKILL',
  ({ name, need, create }) => {
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    let base: Omit<KillableInput, 'run'>
    const started: { kill(): Promise<unknown> }[] = []
    /** as on another machine: nothing of this one is seen there */
    const apart = engineOf({ need })

    beforeEach(async () => {
      dirs = await makeRunDirs()
      executor = create(dirs, { docker: apart()?.config ?? {} })
      const script = `console.log('begin'); process.on('SIGTERM', () => {}); const [, , what] = process.argv
        if (what === 'task') setTimeout(() => console.log('end'), 1500); else setInterval(() => {}, 1000)
        if (what === 'server') require('net').createServer(s => s.on('error', () => {}).end('it is me')).listen(8080, '127.0.0.1')`
      const codeDir = await writeCode(dirs, { 'main.js': script })
      base = { dirs, codeDir, fetchMs: 0, graceMs: 300, docker: apart()?.config }
    })
    afterEach(async () => {
      for (const one of started.splice(0)) await one.kill()
      for (const { run } of await executor.adopt()) await executor.remove(run.handle)
      await dirs[Symbol.asyncDispose]()
    })

    const run = (kind: 'task' | 'service', what: string = kind) => {
      const ports = what === 'server' ? [{ name: 'http', port: 8080, access: 'any' as const }] : []
      return { grant: grantOf(name), service: serviceOf({ command: ['node', 'main.js', what], kind, ports }) }
    }
    const start = (input: Partial<KillableInput> = {}) => {
      const one = startKillable({ ...base, ...input })
      started.push(one)
      return one
    }
    const journal = (): RunRecord | undefined => {
      using opened = openRuns(dirs)
      return opened.runs.ofService('service-1') as RunRecord | undefined
    }
    const begins = async () =>
      (await linesOf(join(dirs.logs, 'service-1'))).out.filter((line) => line === 'begin').length
    const begun = () => until(async () => (await begins()) === 1)
    /** What the engine has, by its own account. */
    const engine = async () => (await executor.adopt()).map(({ runId, state }) => ({ runId, state }))

    /** Journal and engine say the same, and the service has begun once in all. */
    async function expectRunning(): Promise<void> {
      await begun()
      const record = journal()
      expect(record).toMatchObject({ state: 'running', wanted: 'run' })
      expect(await engine()).toEqual([{ runId: record?.runId, state: 'running' }])
    }

    async function expectNothingLeft(): Promise<void> {
      expect(await engine()).toEqual([])
      expect(await readdir(dirs.runs)).toEqual([])
      expect(await readdir(dirs.runtime)).toEqual([])
      expect((await apart()?.left()) ?? []).toEqual([])
      expect(await readFile('/proc/mounts', 'utf8')).not.toContain(dirs.base)
    }

    async function runsOnce(node: ReturnType<typeof start>): Promise<void> {
      await node.enters('running')
      await expectRunning()
      await stopAll(node)
    }

    async function stopAll(node: ReturnType<typeof start>): Promise<void> {
      node.say('stop')
      await node.waitForEvent((event) => event.name === 'all stopped')
      await node.quit()
      expect(journal()).toMatchObject({ state: 'stopped', wanted: 'stop' })
      await expectNothingLeft()
    }

    it('while fetching: it fetches again and runs once', async () => {
      const first = start({ run: run('service'), fetchMs: 60_000 })
      await first.enters('fetching')
      await first.kill()
      expect(journal()?.state).toBe('fetching')
      await runsOnce(start())
    })

    it('while building: what is there is not taken for an output, and it is built again', async () => {
      const build = ['node', '-e', `console.log('builds'); setTimeout(() => fs.writeFileSync('whole', ''), 1500)`]
      const { grant, service } = run('service')
      const first = start({ run: { grant, service: { ...service, run: { ...service.run, build } } } })
      const builds = async () =>
        (await linesOf(join(dirs.logs, 'service-1'))).out.filter((line) => line === 'builds').length
      await until(async () => (await builds()) === 1)
      await first.kill()
      const left = await readdir(dirs.builds)
      expect(journal()?.state).toBe('building')
      await runsOnce(start())
      const [id = '', ...others] = await readdir(dirs.builds)
      expect([others, left.includes(id), await builds()]).toEqual([[], false, 2])
      expect(await readdir(join(dirs.builds, id, 'code'))).toContain('whole')
    })

    it.each([0, 15, 40, 80, 150, 300])('%i ms into starting: it runs once', async (delay) => {
      const first = start({ run: run('service') })
      await first.enters('starting')
      await new Promise((resolve) => setTimeout(resolve, delay))
      await first.kill()
      expect(journal()?.state).toMatch(/starting|running/)
      await runsOnce(start())
    })

    it('while it runs: it goes on, and is found', async () => {
      const first = start({ run: run('service') })
      await first.enters('running')
      await begun()
      const before = await engine()
      await first.kill()
      expect(await engine()).toEqual(before)
      const second = start()
      await second.waitForEvent((event) => event.name === 'booted')
      await second.waitForEvent((event) => event.name === 'execution:healthy')
      await expectRunning()
      expect(await engine()).toEqual(before)
      await stopAll(second)
    })

    it('while it is talked to: the way to it opens again', async () => {
      const first = start({ run: run('service', 'server') })
      await first.waitForEvent((event) => event.name === 'execution:healthy')
      first.say('talk')
      await first.waitForEvent(({ text }) => text === 'it is me')
      first.say('talk')
      await first.kill()
      const second = start()
      await second.waitForEvent((event) => event.name === 'execution:healthy')
      second.say('talk')
      await second.waitForEvent(({ text }) => text === 'it is me')
      await expectRunning()
      await stopAll(second)
    })

    it('while stopping: the stop is finished', async () => {
      // it is killed while the service, which does not obey, has its time to
      const first = start({ run: run('service'), graceMs: 1500 })
      await first.enters('running')
      await begun()
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
      await begun()
      await first.kill()
      // it ends while no node is there
      await until(async () => (await engine()).every(({ state }) => state !== 'running'))
      const second = start({ run: run('task') })
      await second.enters('exited')
      await second.quit()
      expect(journal()).toMatchObject({ state: 'exited', exitCode: 0 })
      expect((await linesOf(join(dirs.logs, 'service-1'))).out).toEqual(['begin', 'end'])
      const third = start({ run: run('task') })
      await third.waitForEvent((event) => event.name === 'booted')
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
      await runsOnce(start())
    })
  },
)
