import { describe, expect, it } from 'vitest'
import { createTrustLookups } from '../../../src/admission/watchers/trust-lookup-retry.ts'
import { type ManualClock, manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'

const SECOND = 1000

function world(ask: (id: string) => boolean | Promise<boolean>) {
  const clock: ManualClock = manualClock()
  const asked: { id: string; at: number; fresh: boolean }[] = []
  const closing = new AbortController()
  const asking = async (id: string, { fresh }: { fresh: boolean }) => {
    asked.push({ id, at: clock.monotonic() / SECOND, fresh })
    return await ask(id)
  }
  const lookups = createTrustLookups({ clock, log: silentLog(), ask: asking }, { closing: closing.signal })
  return { clock, asked, closing, lookups }
}

describe('the mesh is asked about a service', () => {
  it('at once, and a few times more, whatever was asked just now', async () => {
    const { clock, asked, lookups } = world(() => true)
    lookups.begin('a')
    await clock.advance(600 * SECOND)
    const retries = [5, 35, 155].map((at) => ({ id: 'a', at, fresh: true }))
    expect(asked).toEqual([{ id: 'a', at: 0, fresh: false }, ...retries])
  })

  it('no more when there is no more to ask, the mesh cannot be asked, or the node stops', async () => {
    const left = world(() => false)
    const failing = world(() => Promise.reject(new Error('nobody')))
    const stopped = world(() => true)
    for (const { lookups } of [left, failing, stopped]) lookups.begin('a')
    await Promise.all([left, failing].map(({ clock }) => clock.advance(600 * SECOND)))
    await stopped.clock.advance(1 * SECOND)
    stopped.closing.abort()
    await stopped.clock.advance(600 * SECOND)
    for (const { asked } of [left, failing, stopped]) expect(asked).toHaveLength(1)
  })

  it('within a budget, however many are parked', async () => {
    const { clock, asked, lookups } = world(() => true)
    for (let index = 0; index < 60; index++) lookups.begin(`first-${index}`)
    await clock.advance(1)
    for (let index = 0; index < 60; index++) lookups.begin(`second-${index}`)
    await clock.advance(600 * SECOND)
    expect(asked.length).toBeGreaterThanOrEqual(64)
    expect(asked.length).toBeLessThanOrEqual(64 + 600 / 2)
    expect(asked.filter(({ at }) => at < 1).length).toBeLessThanOrEqual(64)
  })
})
