import { expect, it } from 'vitest'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { watched } from './harness.ts'

const MINUTE = 60_000

function failMany({ state, events }: Pick<ReturnType<typeof watched>, 'state' | 'events'>, count: number): void {
  for (let n = 0; n < count; n++) {
    state.services.set(`s${n}`, { name: `web-${n}`, state: 'failed' })
    events.emit('node:state', { id: `s${n}`, name: `web-${n}`, state: 'failed' })
  }
}

it('a fault is told once when it begins and once when it clears, however often it is looked at', async () => {
  using it = watched()
  it.state.disk = 'the disk of the node is nearly full: 12 MiB free'
  await it.clock.advance(60 * MINUTE)
  expect(it.told()).toEqual(['disk-low begun'])
  expect(it.notices[0]).toMatchObject({
    summary: 'the disk of the node is nearly full: 12 MiB free',
    node: { peerId: 'peer', network: 'test', version: '1' },
    faults: [{ subject: '', next: 'thundercloud code gc' }],
  })
  it.state.disk = undefined
  await it.clock.advance(60 * MINUTE)
  expect(it.told()).toEqual(['disk-low begun', 'disk-low cleared'])
  expect(it.notices[1]?.summary).toBe('over: the disk of the node is nearly full: 12 MiB free')
  expect(it.alerts.list().find(({ alert }) => alert === 'disk-low')).toMatchObject({
    faults: [],
    last: { state: 'cleared', outcome: 'delivered', attempts: 1 },
    delivered: 2,
  })
})

it('nothing is wrong: nothing is told in a day', async () => {
  using it = watched()
  it.events.emit('node:policy', { hash: 'a' })
  it.events.emit('node:verdict', {})
  it.events.emit('execution:healthy', { service: 'a' })
  await it.clock.advance(24 * 60 * MINUTE)
  expect([it.notices, it.said]).toEqual([[], []])
})

it('each kind of fault begins and clears', async () => {
  using it = watched()
  const { events, state, clock } = it
  await clock.advance(MINUTE)
  const both = async (alert: string, begin: () => void, clear: () => void) => {
    begin()
    await clock.advance(15 * MINUTE)
    expect(it.told()).toContain(`${alert} begun`)
    expect(it.told()).not.toContain(`${alert} cleared`)
    clear()
    await clock.advance(15 * MINUTE)
    expect(it.told()).toContain(`${alert} cleared`)
  }
  const [docker = { name: '', available: true, detail: '' }] = state.executors
  const gone = { ...docker, available: false, detail: 'no answer' }
  const set = (change: Partial<typeof state>) => () => void Object.assign(state, change)
  await both('engine-gone', set({ executors: [gone] }), set({ executors: [docker] }))
  await both('no-peers', set({ peers: 0 }), set({ peers: 2 }))
  await both('unreachable', set({ reach: 'none' }), set({ reach: 'relayed' }))
  await both('clock-off', set({ clock: 'it is wrong' }), set({ clock: undefined }))
  await both(
    'policy-refused',
    () => events.emit('node:policy-refused', { reason: 'KEYWORDS is 3' }),
    () => events.emit('node:policy', { hash: 'a' }),
  )
  await both(
    'runner-failing',
    () => events.emit('runner:died', { message: 'oops' }),
    () => events.emit('node:verdict', {}),
  )
  const lookUp = (failed: number) => events.emit('trust:looked-up', { found: 0, failed })
  await both(
    'hubs-unreachable',
    () => [1, 2, 3].forEach(lookUp),
    () => lookUp(0),
  )
  const failed = { code: 'c', name: 'web', reason: 'the scanner ended' }
  await both(
    'hub-failing',
    () => events.emit('hub:failed', failed),
    () => events.emit('hub:examined', { code: 'd' }),
  )
})

it('a short time alone is no fault, nor is an executor that was never there', async () => {
  using it = watched()
  it.state.peers = 0
  it.state.executors = [{ name: 'host', available: false, detail: 'no bubblewrap' }]
  await it.clock.advance(4 * MINUTE)
  it.state.peers = 1
  await it.clock.advance(10 * MINUTE)
  expect(it.told()).toEqual([])
})

it('a service fails when its run has failed, or is started again and again; being healthy or being gone ends that', async () => {
  using it = watched()
  const { events, state, clock } = it
  state.services.set('a', { name: 'web', state: 'failed' })
  events.emit('node:state', { id: 'a', name: 'web', state: 'failed', detail: 'exit code 1' })
  await clock.advance(MINUTE)
  expect(it.notices[0]).toMatchObject({
    summary: 'the service "web" has failed: exit code 1',
    faults: [{ subject: 'a', name: 'web', next: 'thundercloud status a' }],
  })
  events.emit('execution:healthy', { service: 'a' })
  await clock.advance(MINUTE)
  expect(it.told()).toEqual(['service-failing begun', 'service-failing cleared'])

  state.services.set('b', { name: 'loop', state: 'accepted' })
  const again = (restarts: number) => events.emit('execution:state', { service: 'b', state: 'starting', restarts })
  ;[0, 1, 2].forEach(again)
  await clock.advance(MINUTE)
  expect(it.told()).toHaveLength(2)
  again(3)
  await clock.advance(MINUTE)
  expect(it.notices[2]?.summary).toContain('was started 3 times again without being healthy')
  // it is forgotten, and no event says so
  state.services.delete('b')
  await clock.advance(10 * MINUTE)
  expect(it.told().at(-1)).toBe('service-failing cleared')
})

it.each([
  ['was replaced by a newer version', { supersededBy: 'b' }],
  ['was stopped by its author', { stoppedBy: 'b' }],
  ['has expired', { expires: 0 }],
])('a service that has failed and %s is no fault, though its state stays "failed"', async (_what, end) => {
  using it = watched()
  const failed = { name: 'web', state: 'failed' }
  const fail = () => it.events.emit('node:state', { id: 'a', ...failed })
  it.state.services.set('a', failed)
  fail()
  await it.clock.advance(MINUTE)
  expect(it.told()).toEqual(['service-failing begun'])
  it.state.services.set('a', { ...failed, ...end })
  await it.clock.advance(MINUTE)
  expect(it.told()).toEqual(['service-failing begun', 'service-failing cleared'])
  // its run ends late
  fail()
  await it.clock.advance(MINUTE)
  expect(it.told()).toHaveLength(2)
})

it('hostile: what an author wrote is safe to show, and bounded', async () => {
  using it = watched()
  const evil = `\u001b[2J\u202e<script>\n${'x'.repeat(5000)}`
  it.state.services.set('a', { name: evil, state: 'failed' })
  it.events.emit('node:state', { id: 'a', name: evil, state: 'failed', detail: evil })
  await it.clock.advance(1000)
  const text = JSON.stringify(it.notices)
  expect(text).not.toMatch(/\\u001b|\u202e|\\n/)
  expect(text.length).toBeLessThan(2000)
})

it('hostile: a fault that comes and goes is told of a few times, and that it did is said', async () => {
  using it = watched()
  for (let turn = 0; turn < 1000; turn++) {
    it.events.emit('node:policy-refused', { reason: 'a' })
    await it.clock.advance(500)
    it.events.emit('node:policy', { hash: 'a' })
    await it.clock.advance(500)
  }
  // 1,000 s, in which it began a thousand times
  expect(it.told().length).toBeLessThanOrEqual(4 + 1000 / 300 + 1)
  it.events.emit('node:policy-refused', { reason: 'a' })
  await it.clock.advance(10 * MINUTE)
  expect(it.told().at(-1)).toBe('policy-refused begun')
  expect(it.notices.some(({ flapped = 0 }) => flapped > 100)).toBe(true)
})

it('hostile: a thousand services that fail at once are a few notices, which name the first', async () => {
  using it = watched()
  failMany(it, 1000)
  await it.clock.advance(10 * MINUTE)
  expect(it.notices.length).toBeLessThan(8)
  expect(it.notices.at(-1)).toMatchObject({
    summary: expect.stringMatching(/^services have failed: \d+ of them; 744 more are not told yet$/),
    untold: 744,
  })
  expect(it.notices.every(({ faults }) => faults.length <= 20)).toBe(true)
  const now = () => it.alerts.list().find(({ alert }) => alert === 'service-failing')
  expect(now()).toMatchObject({ faults: { length: 256 }, untold: 744 })

  const before = it.notices.length
  // what is over makes room: of those that began, and of those that wait
  for (const n of [0, 1, 2, 999]) it.events.emit('execution:healthy', { service: `s${n}` })
  expect(now()).toMatchObject({ faults: { length: 256 }, untold: 740 })
  await it.clock.advance(10 * MINUTE)
  const later = it.notices.slice(before).filter((notice) => notice.state === 'begun')
  const names = later.flatMap(({ faults }) => faults.map(({ name }) => name))
  expect(names).toEqual(['web-256', 'web-257', 'web-258'])
})

it("hostile: a stranger's many failed services do not hide that one of the operator's own has failed", async () => {
  using it = watched()
  failMany(it, 1000)
  await it.clock.advance(10 * MINUTE)
  for (const id of ['mine', 'mine-2']) {
    it.state.services.set(id, { name: id, state: 'failed', author: 'own' })
    it.events.emit('node:state', { id, name: id, state: 'failed' })
  }
  failMany(it, 1010)
  for (const n of [0, 1, 2]) it.events.emit('execution:healthy', { service: `s${n}` })
  await it.clock.advance(10 * MINUTE)
  const begun = it.notices.filter(({ state, faults }) => state === 'begun' && faults[0]?.own)
  expect(begun.flatMap(({ faults }) => faults).filter(({ own }) => own)).toMatchObject([
    { subject: 'mine' },
    { subject: 'mine-2' },
  ])
  const { faults = [] } = it.alerts.list().find(({ alert }) => alert === 'service-failing') ?? {}
  expect([faults.length, faults[0]?.subject, faults[1]?.subject]).toEqual([258, 'mine', 'mine-2'])
})

it('of many services, those of the operator are named first, and counted in the summary', async () => {
  using it = watched()
  // until nothing can be told at once
  for (let n = 0; n < 4; n++) it.events.emit('node:state', { id: `early${n}`, name: 'early', state: 'failed' })
  failMany(it, 100)
  it.state.services.set('mine', { name: 'mine', state: 'failed', author: 'own' })
  it.events.emit('node:state', { id: 'mine', name: 'mine', state: 'failed' })
  await it.clock.advance(10 * MINUTE)
  const begun = it.notices.findLast(({ state }) => state === 'begun')
  expect(begun?.faults[0]).toMatchObject({ subject: 'mine', own: true })
  expect(begun?.summary).toBe("services have failed: 101 of them, 1 of this node's own address")
})

it('a notice that is not taken is sent again, later and later, and then given up; what is so is said truthfully', async () => {
  let tries = 0
  using it = watched({
    send: async () => {
      tries++
      throw new UnavailableError('it answers HTTP 500')
    },
  })
  const now = () => it.alerts.list().find(({ alert }) => alert === 'disk-low')
  it.state.disk = 'full'
  await it.clock.advance(31_000)
  expect(now()).toMatchObject({ waiting: 1, last: { outcome: 'waiting', problem: 'it answers HTTP 500' }, failed: 0 })
  await it.clock.advance(60 * MINUTE)
  expect(tries).toBe(7)
  expect(now()).toMatchObject({ waiting: 0, last: { outcome: 'failed', attempts: 7 }, failed: 1, delivered: 0 })
  expect(it.said.filter(([name]) => name === 'alert:undelivered')).toHaveLength(7)
})

it('a failure that says that no retry helps is not tried again', async () => {
  let tries = 0
  using it = watched({
    send: async () => {
      tries++
      throw new InputError('it answers HTTP 404')
    },
  })
  it.state.disk = 'full'
  await it.clock.advance(60 * MINUTE)
  expect(tries).toBe(1)
})

it('hostile: where nothing is ever taken, a bounded number of notices waits, and the rest is counted', async () => {
  using it = watched({ send: () => new Promise(() => {}) })
  for (let turn = 0; turn < 60; turn++) {
    it.events.emit('node:policy-refused', { reason: 'a' })
    await it.clock.advance(10 * MINUTE)
    it.events.emit('node:policy', { hash: 'a' })
    await it.clock.advance(10 * MINUTE)
  }
  const { waiting = 0, dropped = 0 } = it.alerts.list().find(({ alert }) => alert === 'policy-refused') ?? {}
  expect(waiting).toBe(33)
  expect(dropped).toBe(120 - 33)
})

it('only alerts with a target are watched; an entry of its own wins over "other"', async () => {
  using it = watched({ alerts: { 'disk-low': { WEBHOOK: 'https://hooks.example/secret/path?token=abc' } } })
  it.state.disk = 'full'
  it.events.emit('node:policy-refused', { reason: 'a' })
  await it.clock.advance(MINUTE)
  expect(it.told()).toEqual(['disk-low begun'])
  expect(it.alerts.list()).toMatchObject([{ alert: 'disk-low', by: 'webhook', target: 'https://hooks.example' }])
  expect(JSON.stringify([it.notices, it.said, it.alerts.list()])).not.toMatch(/secret|token/)
  await expect(it.alerts.test('no-peers')).rejects.toThrow(/ALERTS in node.json has no entry for "no-peers"/)
  await expect(it.alerts.test('disk')).rejects.toThrow(/there is no alert "disk"; known are disk-low, /)
  expect(await it.alerts.test('disk-low')).toEqual({ tookMs: 0 })
  expect(it.told().at(-1)).toBe('disk-low test')
})
