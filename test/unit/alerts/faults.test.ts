import { expect, it } from 'vitest'
import { watched } from './harness.ts'

const MINUTE = 60_000

it('a fault is reported once when it begins and once when it clears, however often it is looked at', async () => {
  using it = watched()
  it.state.disk = 'the disk of the node is nearly full: 12 MiB free'
  await it.clock.advance(60 * MINUTE)
  expect(it.reported()).toEqual(['disk-low begun'])
  expect(it.notices[0]).toMatchObject({
    summary: 'the disk of the node is nearly full: 12 MiB free',
    node: { peerId: 'peer', network: 'test', version: '1' },
    faults: [{ subject: '', next: 'thundercloud code gc' }],
  })
  it.state.disk = undefined
  await it.clock.advance(60 * MINUTE)
  expect(it.reported()).toEqual(['disk-low begun', 'disk-low cleared'])
  expect(it.notices[1]?.summary).toBe('over: the disk of the node is nearly full: 12 MiB free')
  expect(it.alerts.list().find(({ alert }) => alert === 'disk-low')).toMatchObject({
    faults: [],
    last: { state: 'cleared', outcome: 'delivered', attempts: 1 },
    delivered: 2,
  })
})

it('nothing is wrong: nothing is reported in a day', async () => {
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
    expect(it.reported()).toContain(`${alert} begun`)
    expect(it.reported()).not.toContain(`${alert} cleared`)
    clear()
    await clock.advance(15 * MINUTE)
    expect(it.reported()).toContain(`${alert} cleared`)
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
  expect(it.reported()).toEqual([])
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

it('hostile: a fault that comes and goes is reported of a few times, and that it did is said', async () => {
  using it = watched()
  for (let turn = 0; turn < 1000; turn++) {
    it.events.emit('node:policy-refused', { reason: 'a' })
    await it.clock.advance(500)
    it.events.emit('node:policy', { hash: 'a' })
    await it.clock.advance(500)
  }
  // 1,000 s, in which it began a thousand times
  expect(it.reported().length).toBeLessThanOrEqual(4 + 1000 / 300 + 1)
  it.events.emit('node:policy-refused', { reason: 'a' })
  await it.clock.advance(10 * MINUTE)
  expect(it.reported().at(-1)).toBe('policy-refused begun')
  expect(it.notices.some(({ flapped = 0 }) => flapped > 100)).toBe(true)
})

it('only alerts with a target are watched; an entry of its own wins over "other"', async () => {
  using it = watched({ alerts: { 'disk-low': { WEBHOOK: 'https://hooks.example/secret/path?token=abc' } } })
  it.state.disk = 'full'
  it.events.emit('node:policy-refused', { reason: 'a' })
  await it.clock.advance(MINUTE)
  expect(it.reported()).toEqual(['disk-low begun'])
  expect(it.alerts.list()).toMatchObject([{ alert: 'disk-low', by: 'webhook', target: 'https://hooks.example' }])
  expect(JSON.stringify([it.notices, it.said, it.alerts.list()])).not.toMatch(/secret|token/)
  await expect(it.alerts.test('no-peers')).rejects.toThrow(/ALERTS in node.json has no entry for "no-peers"/)
  await expect(it.alerts.test('disk')).rejects.toThrow(/there is no alert "disk"; known are disk-low, /)
  expect(await it.alerts.test('disk-low')).toEqual({ tookMs: 0 })
  expect(it.reported().at(-1)).toBe('disk-low test')
})
