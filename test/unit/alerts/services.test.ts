import { expect, it } from 'vitest'
import { watched } from './harness.ts'

const MINUTE = 60_000

function failMany({ state, events }: Pick<ReturnType<typeof watched>, 'state' | 'events'>, count: number): void {
  for (let n = 0; n < count; n++) {
    state.services.set(`s${n}`, { name: `web-${n}`, state: 'failed' })
    events.emit('node:state', { id: `s${n}`, name: `web-${n}`, state: 'failed' })
  }
}

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
  expect(it.reported()).toEqual(['service-failing begun', 'service-failing cleared'])

  state.services.set('b', { name: 'loop', state: 'accepted' })
  const again = (restarts: number) => events.emit('execution:state', { service: 'b', state: 'starting', restarts })
  ;[0, 1, 2].forEach(again)
  await clock.advance(MINUTE)
  expect(it.reported()).toHaveLength(2)
  again(3)
  await clock.advance(MINUTE)
  expect(it.notices[2]?.summary).toContain('was started 3 times again without being healthy')
  // it is forgotten, and no event says so
  state.services.delete('b')
  await clock.advance(10 * MINUTE)
  expect(it.reported().at(-1)).toBe('service-failing cleared')
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
  expect(it.reported()).toEqual(['service-failing begun'])
  it.state.services.set('a', { ...failed, ...end })
  await it.clock.advance(MINUTE)
  expect(it.reported()).toEqual(['service-failing begun', 'service-failing cleared'])
  // its run ends late
  fail()
  await it.clock.advance(MINUTE)
  expect(it.reported()).toHaveLength(2)
})

it('hostile: a thousand services that fail at once are a few notices, which name the first', async () => {
  using it = watched()
  failMany(it, 1000)
  await it.clock.advance(10 * MINUTE)
  expect(it.notices.length).toBeLessThan(8)
  expect(it.notices.at(-1)).toMatchObject({
    summary: expect.stringMatching(/^services have failed: \d+ of them; 744 more are not reported yet$/),
    unreported: 744,
  })
  expect(it.notices.every(({ faults }) => faults.length <= 20)).toBe(true)
  const now = () => it.alerts.list().find(({ alert }) => alert === 'service-failing')
  expect(now()).toMatchObject({ faults: { length: 256 }, unreported: 744 })

  const before = it.notices.length
  // what is over makes room: of those that began, and of those that wait
  for (const n of [0, 1, 2, 999]) it.events.emit('execution:healthy', { service: `s${n}` })
  expect(now()).toMatchObject({ faults: { length: 256 }, unreported: 740 })
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
  // until nothing can be reported at once
  for (let n = 0; n < 4; n++) it.events.emit('node:state', { id: `early${n}`, name: 'early', state: 'failed' })
  failMany(it, 100)
  it.state.services.set('mine', { name: 'mine', state: 'failed', author: 'own' })
  it.events.emit('node:state', { id: 'mine', name: 'mine', state: 'failed' })
  await it.clock.advance(10 * MINUTE)
  const begun = it.notices.findLast(({ state }) => state === 'begun')
  expect(begun?.faults[0]).toMatchObject({ subject: 'mine', own: true })
  expect(begun?.summary).toBe("services have failed: 101 of them, 1 of this node's own address")
})

it('a service that failed before the start of the node is reported, and is over as any other', async () => {
  const failed = { name: 'web', state: 'failed', run: { detail: 'exit code 1' } }
  using it = watched({
    services: {
      ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`fine${n}`, { name: 'fine', state: 'running' }])),
      a: failed,
      mine: { ...failed, author: 'own' },
      old: { ...failed, supersededBy: 'a' },
    },
  })
  await it.clock.advance(10 * MINUTE)
  const faults = () => it.alerts.list().find(({ alert }) => alert === 'service-failing')?.faults
  expect(faults()?.map(({ subject }) => subject)).toEqual(['mine', 'a'])
  expect(it.notices[0]?.faults[0]?.summary).toBe('the service "web" has failed: exit code 1')
  it.state.services.delete('a')
  it.events.emit('execution:healthy', { service: 'mine' })
  await it.clock.advance(10 * MINUTE)
  expect(faults()).toEqual([])
  expect(it.reported().at(-1)).toBe('service-failing cleared')
})
