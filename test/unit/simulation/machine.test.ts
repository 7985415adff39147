import { Key } from 'interface-datastore'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createMachine, type MachineProcess } from '../../../src/simulation/machine/machine.ts'
import { createWire } from '../../../src/simulation/network/wire.ts'

const KEY = new Key('/peers/one')
const LOGS = { maxBytes: 1024, keep: 1 }

const it = test
  .extend('clock', () => manualClock(0))
  .extend('wire', ({ clock }) => createWire(clock, { linkOf: () => ({ latencyMs: 10, bytesPerMs: 1000 }) }))
  .extend('machine', ({ clock, wire }, { onCleanup }) => {
    const machine = createMachine({ clock, wire }, { host: 'a' })
    onCleanup(() => machine[Symbol.dispose]())
    return machine
  })
  .extend('open', ({ clock }) => async ({ platform }: MachineProcess) => {
    const { disk, host, openJournal, createExecutors } = platform
    if (disk === undefined || host?.datastore === undefined) throw new Error('a machine has these')
    if (openJournal === undefined || createExecutors === undefined) throw new Error('a machine has these')
    const { executors } = await createExecutors({} as never, { peerId: 'peer', logs: LOGS } as never)
    const [executor] = executors
    if (executor === undefined) throw new Error('a machine has one')
    const journal = openJournal({ path: 'its own', clock, log: silentLog() })
    return { disk, datastore: host.datastore, journal, executor }
  })

it('a process that crashed writes nothing that the next one sees, and what it had written is there', async ({
  machine,
  open,
}) => {
  const first = machine.begin()
  const zombie = await open(first)
  await zombie.disk.writeFile('/kept', 'before')
  const file = await zombie.disk.open('/open', 'w')
  await file.writeFile('before')
  await zombie.datastore.put(KEY, Buffer.from('before'))
  zombie.journal.meta.set('word', 'before')

  first.crash()
  const attempts = await Promise.allSettled([
    zombie.disk.writeFile('/kept', 'after'),
    zombie.disk.rm('/kept'),
    zombie.disk.rename('/kept', '/gone'),
    file.writeFile('after'),
  ])
  expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 'rejected'))
  expect(() => zombie.disk.renameSync('/kept', '/gone')).toThrow('has crashed')
  zombie.journal.meta.set('word', 'after')
  await zombie.datastore.put(KEY, Buffer.from('after'))
  await zombie.datastore.delete(KEY)
  await expect(zombie.executor.start({ runId: 'r', command: ['serve'] } as never)).rejects.toThrow('has crashed')

  const next = await open(machine.begin())
  zombie.journal.meta.set('word', 'later')
  expect(String(await next.disk.readFile('/kept'))).toBe('before')
  expect(String(await next.disk.readFile('/open'))).toBe('before')
  expect(String(await next.datastore.get(KEY))).toBe('before')
  expect(next.journal.meta.get('word')).toBe('before')
  expect(await next.executor.adopt()).toEqual([])
  next.journal[Symbol.dispose]()
  zombie.journal[Symbol.dispose]()
})

it('what a killed process has started goes on, and the next one finds it', async ({ clock, machine, open }) => {
  const first = machine.begin()
  const zombie = await open(first)
  const plan = { runId: 'r', service: 's', purpose: 'run', command: ['serve', '80'], ports: [80], logDir: '/logs' }
  const starting = zombie.executor.start(plan as never)
  await clock.advance(1000)
  const run = await starting
  first.crash()
  await run.stop({ graceMs: 0 })
  await zombie.executor.remove({ runId: 'r' })
  await clock.advance(1000)
  const next = await open(machine.begin())
  const [found] = await next.executor.adopt()
  expect(found).toMatchObject({ runId: 'r', state: 'running' })
  await found?.run.stop({ graceMs: 0 })
  await clock.advance(1000)
  expect((await next.executor.adopt())[0]?.state).toBe('ended')
  for (const { journal } of [zombie, next]) journal[Symbol.dispose]()
})

it('a process that leaves hands over what it had', async ({ machine, open }) => {
  const before = await open(machine.begin())
  before.journal.meta.set('word', 'before')
  await before.journal[Symbol.asyncDispose]()
  const after = await open(machine.begin())
  expect(after.journal.meta.get('word')).toBe('before')
  await after.journal[Symbol.asyncDispose]()
})

it('after a power cut the next process has what was synced, nothing runs, and nobody writes', async ({
  clock,
  wire,
  open,
}) => {
  using machine = createMachine(
    { clock, wire },
    { host: 'b', crashes: [{ point: 60, downSeconds: 1, powerCut: true }] },
  )
  const zombie = await open(machine.begin())
  const plan = { runId: 'r', service: 's', purpose: 'run', command: ['serve', '80'], ports: [80], logDir: '/logs' }
  const starting = zombie.executor.start(plan as never)
  await clock.advance(1000)
  const run = await starting
  const synced = await zombie.disk.open('/synced', 'w')
  await synced.writeFile('synced')
  await synced.sync()
  await zombie.datastore.put(KEY, Buffer.from('before'))
  let commits = 0
  const work = () => {
    for (; commits < 100; commits++) zombie.journal.meta.set('word', String(commits))
  }
  expect(work).toThrow('has crashed')
  await clock.advance(1000)
  await run.wait()

  const next = await open(machine.begin())
  const kept = Number(next.journal.meta.get('word'))
  expect(kept).toBeGreaterThan(0)
  expect(commits - kept).toBeGreaterThan(0)
  expect(commits - kept).toBeLessThanOrEqual(16)
  expect(String(await next.disk.readFile('/synced'))).toBe('synced')
  expect(await next.datastore.has(KEY)).toBe(false)
  expect(await next.executor.adopt()).toEqual([])
  await expect(zombie.disk.writeFile('/late', 'late')).rejects.toThrow('has crashed')
  expect(await next.disk.readdir('/')).not.toContain('late')
  for (const { journal } of [zombie, next]) journal[Symbol.dispose]()
})

it('what a process that left had written is synced', async ({ clock, wire, open }) => {
  using machine = createMachine(
    { clock, wire },
    { host: 'c', crashes: [{ point: 40, downSeconds: 1, powerCut: true }] },
  )
  const first = await open(machine.begin())
  first.journal.meta.set('word', 'before')
  await first.journal[Symbol.asyncDispose]()
  const second = await open(machine.begin())
  second.journal.meta.set('word', 'after')
  const work = async () => {
    for (;;) await second.disk.stat('/')
  }
  await expect(work()).rejects.toThrow('has crashed')
  const third = await open(machine.begin())
  expect(third.journal.meta.get('word')).toBe('before')
  for (const { journal } of [second, third]) journal[Symbol.dispose]()
})
