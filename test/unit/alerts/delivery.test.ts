import { expect, it, vi } from 'vitest'
import type { Notice } from '../../../src/alerts/index.ts'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { watched } from './harness.ts'

const MINUTE = 60_000

/** A target that takes no notice. */
const failing = (error: Error) =>
  vi.fn(async () => {
    throw error
  })

it('a notice that is not taken is sent again, later and later, and then given up; what is so is said truthfully', async () => {
  const send = failing(new UnavailableError('it answers HTTP 500'))
  using it = watched({ send })
  const now = () => it.alerts.list().find(({ alert }) => alert === 'disk-low')
  it.state.disk = 'full'
  await it.clock.advance(31_000)
  expect(now()).toMatchObject({ waiting: 1, last: { outcome: 'waiting', problem: 'it answers HTTP 500' }, failed: 0 })
  // the waits are 315 s at most, and 157 s at least
  await it.clock.advance(315_000)
  expect(send.mock.calls.length).toBe(7)
  expect(now()).toMatchObject({ waiting: 0, last: { outcome: 'failed', attempts: 7 }, failed: 1, delivered: 0 })
  expect(it.said.filter(([name]) => name === 'alert:undelivered')).toHaveLength(7)
})

it('a fault that lasts is reported again after its notice was given up, and then no more; one that is over is not', async () => {
  let works = false
  const taken: Notice[] = []
  using it = watched({
    send: async (notice) => {
      if (!works) throw new UnavailableError('it answers HTTP 500')
      taken.push(notice)
    },
  })
  it.state.disk = 'full'
  it.events.emit('node:policy-refused', { reason: 'a' })
  await it.clock.advance(6 * MINUTE)
  it.events.emit('node:policy', { hash: 'a' })
  works = true
  await it.clock.advance(60 * MINUTE)
  expect(taken.map(({ alert, state }) => `${alert} ${state}`)).toContain('disk-low begun')
  expect(taken.filter(({ alert }) => alert === 'disk-low')).toHaveLength(1)
  expect(taken).not.toContainEqual(expect.objectContaining({ alert: 'policy-refused', state: 'begun' }))
})

it('hostile: where a notice is never taken, its fault is reported again once in five minutes at most, without an end', async () => {
  const send = failing(new InputError('it answers HTTP 404'))
  using it = watched({ send })
  it.state.disk = 'full'
  await it.clock.advance(24 * 60 * MINUTE)
  expect(send.mock.calls.length).toBeGreaterThan(24 * 11)
  expect(send.mock.calls.length).toBeLessThanOrEqual(24 * 12 + 1)
})

it('a fault whose notice was dropped is reported once there is room', async () => {
  let release = () => {}
  let works = false
  const taken: Notice[] = []
  using it = watched({
    send: async (notice) => {
      if (!works) await new Promise<void>((resolve) => (release = resolve))
      taken.push(notice)
    },
  })
  for (let n = 0; n < 40; n++) {
    it.state.services.set(`s${n}`, { name: `web-${n}`, state: 'failed' })
    it.events.emit('node:state', { id: `s${n}`, name: `web-${n}`, state: 'failed' })
    await it.clock.advance(5 * MINUTE)
  }
  const dropped = it.said.filter(([name]) => name === 'alert:dropped').length
  expect(dropped).toBeGreaterThan(0)
  works = true
  release()
  await it.clock.advance(30 * MINUTE)
  const subjects = taken.flatMap(({ faults }) => faults.map(({ subject }) => subject))
  expect(subjects.sort()).toEqual(Array.from({ length: 40 }, (_, n) => `s${n}`).sort())
})

it('a failure that says that no retry helps is not tried again', async () => {
  const send = failing(new InputError('it answers HTTP 404'))
  using it = watched({ send })
  it.state.disk = 'full'
  // until its fault is reported again
  await it.clock.advance(4 * MINUTE)
  expect(send.mock.calls.length).toBe(1)
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
  // 16 turns and a beginning wait. The next end is dropped, and then each beginning, which is reported again after 5 and 10 minutes
  expect(dropped).toBe(1 + 43 * 3)
})
