import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatAddress } from '../../protocols/address.ts'
import { listFolder, packEntries } from '../../src/code/index.ts'
import type { ServiceView } from '../../src/node/types.ts'
import { announce, bytesOf, newSigner } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'
import { cgroupsOf, containersOf, processesOf, removePool, shimsOf } from './support/leftovers.ts'
import {
  journalledRuns,
  journalledVerdicts,
  MIB,
  makeScratch,
  type NodeProcess,
  type ReportedEvent,
  type Scratch,
} from './support/scratch.ts'

const HEAVY = 64 * MIB
/** What may be on its way when a stream breaks, and is asked for again. */
const IN_FLIGHT = 8 * MIB
/** Of the heavy code, by when the node is killed. */
const ENOUGH = 16 * MIB
const SERVER = `console.log('begun')
require('node:http').createServer((_, answer) => answer.end('here')).listen(8080, '127.0.0.1')`
const TASK = `console.log('begun'); setTimeout(() => console.log('done'), Number(process.env.TAKES))`
const FILES = { 'server.js': SERVER, 'task.js': TASK }

let scratch: Scratch
let publisher: NodeProcess
let light: string
let heavy: string

const add = async (dir: string) => (await publisher.api.addArchive(packEntries(await listFolder(dir)))).code
const joined = (node: NodeProcess) =>
  publisher.waitForEvent(({ event, peer }) => event === 'network:peer-connected' && peer === node.peerId)

beforeAll(async () => {
  scratch = await makeScratch()
  await scratch.publisher('a')
  publisher = await scratch.start('a')
  light = await add(await scratch.code('light', FILES))
  heavy = await add(await scratch.code('heavy', FILES, HEAVY))
})
afterAll(async () => {
  await publisher?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

type Published = { readonly id: string; readonly name: string; readonly kind: 'service' | 'task' }

function run(kind: Published['kind'], takesMs: number): Record<string, unknown> {
  if (kind === 'service') return { command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }], kind }
  return { command: ['node', 'task.js'], kind, env: { TAKES: String(takesMs) } }
}

/** It takes its time to end, so that the node is killed in the middle. */
const STUBBORN = `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 1500))
require('node:http').createServer((_, answer) => answer.end('here')).listen(8080, '127.0.0.1')`
const LIMITS = { TOTAL: { MEMORY: '1GiB', CPU: '1', DISK: '256MiB', PIDS: 512, RUNS: 1 }, EVICT: true }

describe.skipIf(!needs('bubblewrap'))('a node that is killed while one run is evicted for another', () => {
  const author = newSigner()
  let node: NodeProcess
  let code: string

  const stateOf = async (id: string) => (await node.api.service(id).catch(() => undefined))?.state

  beforeAll(async () => {
    code = await add(await scratch.code('stubborn', { 'server.js': STUBBORN }))
    const policy = { LIMITS, PREFER_HOSTCHAINS: { btc: {} } }
    await scratch.runner('b', { executor: 'host', author, join: publisher.multiaddrs, policy })
    node = await scratch.start('b', '--stop-runs')
    await joined(node)
  })
  afterAll(() => node?.quit())

  async function publish(name: string, hostchains: readonly string[]): Promise<string> {
    const resources = { memory: '64MiB', disk: '4MiB', cpu: '0.5', pids: 32 }
    const manifest = { name, code, hostchains, resources, replyTo: publisher.multiaddrs }
    const announcement = announce(author, manifest)
    await publisher.api.announce(bytesOf(announcement))
    return announcement.signed.id.toString()
  }

  it('finds both where they were: one waits, the other runs, and nothing ran twice', async () => {
    const plain = await publish('plain', [])
    await expect.poll(() => stateOf(plain), { timeout: 45_000 }).toBe('running')
    const publishing = publish('better', ['btc'])
    await node.waitForEvent(({ event, id }) => event === 'node:evicted' && id === plain)
    await node.kill()
    const better = await publishing
    const [betterRun, plainRun] = [better, plain].map((id) => journalledRuns(scratch.dir('b'), id))
    expect(betterRun).toMatchObject([{ state: 'decided' }])
    expect(plainRun).toMatchObject([{ state: 'running', wanted: 'stop' }])

    node = await scratch.start('b', '--stop-runs')
    await expect.poll(() => stateOf(better), { timeout: 45_000 }).toBe('running')
    expect(await stateOf(plain)).toBe('parked')
    expect((await node.api.health()).running).toBe(1)
    expect(journalledRuns(scratch.dir('b'))).toHaveLength(2)
    // and back again, when there is capacity
    await node.api.stop(better)
    await expect.poll(() => stateOf(plain), { timeout: 45_000 }).toBe('running')
  })
})

const EXECUTORS = [
  { name: 'docker', need: 'engine' },
  { name: 'host', need: 'bubblewrap' },
  { name: 'pool', need: 'engine' },
] as const
const POOL = { image: 'thundercloud/node', memoryBytes: 2048 * MIB, cpuMillicores: 2000, pids: 1024 }

describe.each(EXECUTORS.filter(({ need }) => needs(need)))(
  'a node on $name that is killed and started again',
  ({ name }) => {
    // one of its own: the publisher redirects whatever it knows to every node that joins
    const author = newSigner()
    const pool = `kill-${formatAddress(author.address)}-node`
    const published: Published[] = []
    let node: NodeProcess

    const start = (...args: string[]) => scratch.start(name, ...args)
    const journalled = (id: string) => {
      const runs = journalledRuns(scratch.dir(name), id)
      expect(runs).toHaveLength(1)
      return runs[0] as (typeof runs)[number]
    }

    beforeAll(async () => {
      const policy = name === 'pool' ? { CONTAINERS: [pool] } : {}
      const executor = name === 'pool' ? 'docker' : name
      await scratch.runner(name, { executor, author, join: publisher.multiaddrs, policy })
      node = await start()
      if (name === 'pool') await node.api.pools.create({ name: pool, ...POOL })
      await joined(node)
    })
    afterAll(async () => {
      await node?.[Symbol.asyncDispose]()
      // after a failure the runs are still there, and outlive the node
      if (journalledRuns(scratch.dir(name)).some(({ state }) => state === 'running'))
        await (await start('--stop-runs')).quit()
      if (name === 'pool') removePool(pool)
    })

    type Publishing = { kind?: Published['kind']; code?: string; takesMs?: number }

    async function publish({ kind = 'service', code = light, takesMs = 0 }: Publishing = {}): Promise<Published> {
      const unique = `${name}-${published.length}`
      // all of them together must fit into the cores of a small machine
      const disk = code === heavy ? '96MiB' : '4MiB'
      const resources = { memory: '64MiB', disk, cpu: '0.2', pids: 32 }
      const manifest = { name: unique, code, run: run(kind, takesMs), resources, replyTo: publisher.multiaddrs }
      const announcement = announce(author, manifest)
      const service = { id: announcement.signed.id.toString(), name: unique, kind }
      published.push(service)
      await publisher.api.announce(bytesOf(announcement))
      return service
    }

    /** Publishes, kills the node when it tells what is waited for, or a moment later. */
    async function killAt(
      when: (reported: ReportedEvent, id: string) => boolean,
      options: Publishing & { afterMs?: number } = {},
    ) {
      const service = await publish(options)
      const reported = await node.waitForEvent((event) => when(event, service.id))
      if (options.afterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.afterMs))
      await node.kill()
      return { ...service, reported }
    }

    /** The same, of a service whose run is journalled by then. */
    async function killRunAt(...when: Parameters<typeof killAt>) {
      const killed = await killAt(...when)
      return { ...killed, before: journalled(killed.id) }
    }

    async function logOf(id: string): Promise<string[]> {
      const lines = await Array.fromAsync(node.api.logs(id, { tail: 1000, follow: false }))
      return lines.flatMap(({ line, stream }) => (stream === 'out' ? [line] : []))
    }

    const wanted = ({ kind }: Published) => (kind === 'task' ? 'done' : 'running')
    const viewOf = (id: string): Promise<ServiceView | undefined> => node.api.service(id).catch(() => undefined)

    /** Journal, engine and logs say one thing: every service was begun once and runs; every task has run once. */
    async function expectWhole(): Promise<void> {
      const running: Published[] = published.filter(({ kind }) => kind === 'service')
      for (const service of published) {
        const { id } = service
        await expect.poll(async () => (await viewOf(id))?.state, { timeout: 45_000 }).toBe(wanted(service))
        const lines = service.kind === 'task' ? ['begun', 'done'] : ['begun']
        await expect.poll(() => logOf(id), { timeout: 45_000 }).toEqual(lines)
        const { runId, state, restarts } = journalled(id)
        expect({ state, restarts }).toEqual({ state: service.kind === 'task' ? 'exited' : 'running', restarts: 0 })
        expect((await viewOf(id))?.run).toMatchObject({ runId, executor: name })
      }
      if (name === 'docker') {
        const expected = running.flatMap(({ id }) => [`${id} gateway running`, `${id} run running`]).sort()
        const found = () => containersOf(node.peerId).map(({ service, what, state }) => `${service} ${what} ${state}`)
        await expect.poll(() => found().sort(), { timeout: 45_000 }).toEqual(expected)
      } else {
        const expected = running.map(({ id }) => journalled(id).runId.replaceAll('-', '')).sort()
        await expect.poll(() => shimsOf(scratch.dir(name)).sort(), { timeout: 45_000 }).toEqual(expected)
      }
    }

    async function startAgain(): Promise<void> {
      node = await start()
      await expectWhole()
    }

    const isVerdict = ({ event, id }: ReportedEvent, wantedId: string) => event === 'node:verdict' && id === wantedId
    const enters = (state: string) => (reported: ReportedEvent, id: string) =>
      reported.event === 'execution:state' && reported.service === id && reported.state === state
    // the process, not its health: a task is healthy when it has ended
    const isRunning = enters('running')

    it('just after the verdict: carries it out', async () => {
      const { id } = await killAt(isVerdict)
      // its claim, which comes before its run, was in memory
      expect(journalledRuns(scratch.dir(name), id)).toEqual([])
      await startAgain()
      expect(journalledVerdicts(scratch.dir(name), id).length).toBeGreaterThan(0)
    })

    it('in the middle of fetching: goes on where it was', async () => {
      const served = () =>
        publisher.reported().filter((reported) => reported.event === 'code:served' && reported.peer === node.peerId)
      const earlier = served().length
      const progress = ({ event, service, doneBytes }: ReportedEvent, wantedId: string) =>
        event === 'execution:fetch-progress' && service === wantedId && (doneBytes as number) >= ENOUGH
      const { reported, before } = await killRunAt(progress, { code: heavy })
      expect(before.state).toBe('fetching')
      const total = reported.totalBytes as number
      await expect.poll(() => served().length, { timeout: 45_000 }).toBe(earlier + 1)
      await startAgain()
      // a stream that broke is opened again
      const bytes = () => served().map((reported) => reported.bytes as number)
      const afterwards = () =>
        bytes()
          .slice(earlier + 1)
          .reduce((sum, some) => sum + some, 0)
      await expect.poll(afterwards, { timeout: 45_000 }).toBeGreaterThan(0)
      expect(afterwards()).toBeLessThanOrEqual(total - (reported.doneBytes as number) + IN_FLIGHT)
      expect(node.reported().filter(({ event }) => event === 'code:provider-invalid')).toEqual([])
    })

    it.each([
      ['as it begins to start', undefined],
      ['a little later', 150],
    ] as const)('%s: starts it once', async (_, afterMs) => {
      const { id, before } = await killRunAt(enters('starting'), { afterMs })
      expect(['starting', 'running']).toContain(before.state)
      await startAgain()
      expect(journalled(id).runId).toBe(before.runId)
    })

    it('while it runs: takes up the service, and the task that goes on, not the one that is over', async () => {
      const long = await publish({ kind: 'task', takesMs: 6000 })
      const short = await publish({ kind: 'task', takesMs: 300 })
      for (const { id } of [long, short]) await node.waitForEvent((reported) => isRunning(reported, id))
      const { id, before } = await killRunAt(isRunning)
      expect(before.state).toBe('running')
      expect(journalled(long.id).state).toBe('running')
      await startAgain()
      const after = journalled(id)
      expect(after.runId).toBe(before.runId)
      // the engine's word for when it started is a little earlier than the node's
      expect(Math.abs((after.startedAt ?? 0) - (before.startedAt ?? 0))).toBeLessThan(1000)
      for (const task of [long, short]) expect(journalled(task.id).exitCode).toBe(0)
    })

    it('while a task runs that ends meanwhile: it is not run again', async () => {
      const { before } = await killRunAt(isRunning, { kind: 'task', takesMs: 700 })
      expect(before.state).toBe('running')
      await startAgain()
    })

    it('while a task starts: it runs once', async () => {
      await killAt(enters('starting'), { kind: 'task', takesMs: 100, afterMs: 60 })
      await startAgain()
    })

    it('and stopped in good order with its runs: leaves nothing', async () => {
      expect(await node.quit()).toMatchObject({ code: 0 })
      node = await start('--stop-runs')
      await expectWhole()
      expect(await node.quit()).toMatchObject({ code: 0 })
      expect(name === 'docker' ? containersOf(node.peerId) : shimsOf(scratch.dir(name))).toEqual([])
      expect(processesOf(scratch.dir(name))).toEqual([])
      expect(cgroupsOf(node.peerId)).toEqual([])
      expect(await scratch.temporary(name)).toEqual([])
      for (const { id, kind } of published) {
        // a service is still wanted: it starts again with the node
        expect(journalled(id)).toMatchObject({ state: kind === 'task' ? 'exited' : 'starting', wanted: 'run' })
      }
    })
  },
)
