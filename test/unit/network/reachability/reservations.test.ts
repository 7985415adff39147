import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import type { Log } from '../../../../src/base/log.ts'
import { seededRng } from '../../../../src/base/rng.ts'
import { RESERVE_CHECK_MS, RESERVE_RETRY, WANTED_RELAYS } from '../../../../src/network/reachability/constants.ts'
import { keepReservations } from '../../../../src/network/reachability/reservations.ts'

/** Relays that are there, and what a node behind NAT does with them. */
function natted(...relays: string[]) {
  const clock = manualClock()
  const offers = new Set(relays)
  const reserved = new Set<string>()
  const refusing = new Set<string>()
  const asked: string[] = []
  const lines: string[] = []
  const state = { wanted: true }
  const line = (message: string, detail?: object) => void lines.push(`${message} ${JSON.stringify(detail ?? {})}`)
  const log = { debug() {}, info: line, warn: line } as unknown as Log
  const kept = keepReservations({
    ...{ clock, log, rng: seededRng('reservations') },
    wanted: () => state.wanted,
    offers: async () => [...offers],
    reserved: () => [...reserved],
    async reserve(relay) {
      asked.push(relay)
      if (refusing.has(relay)) throw new Error('reservation failed with status RESERVATION_REFUSED')
      reserved.add(relay)
    },
    release: () => reserved.clear(),
  })
  return { clock, kept, offers, reserved, refusing, asked, lines, state }
}

test('it asks as many relays as are wanted, and no more', async () => {
  const { kept, reserved, asked } = natted('a', 'b', 'c')
  await kept.look()
  expect([...reserved]).toEqual(['a', 'b'])
  await kept.look()
  expect(asked).toHaveLength(WANTED_RELAYS)
})

test('where a relay vanishes, the next one is asked at the next look, and the log says both', async () => {
  const { clock, kept, offers, reserved, lines } = natted('a', 'b', 'c')
  await kept.look()
  offers.delete('a')
  reserved.delete('a')
  await clock.advance(RESERVE_CHECK_MS)
  await kept.look()
  expect([...reserved].sort()).toEqual(['b', 'c'])
  expect(
    lines.some((line) => line.includes('holds no reservation of this node any more') && line.includes('"a"')),
  ).toBe(true)
  expect(lines.some((line) => line.includes('can reach this one') && line.includes('"c"'))).toBe(true)
})

test('a relay that refuses is left alone for longer each time, and named with its reason once', async () => {
  const { clock, kept, refusing, asked, lines } = natted('a')
  refusing.add('a')
  await kept.look()
  await kept.look()
  expect([asked.length, kept.refused, kept.offers]).toEqual([1, expect.stringContaining('RESERVATION_REFUSED'), 1])
  const hour = 3_600_000
  for (let ms = 0; ms < hour; ms += RESERVE_CHECK_MS) {
    await clock.advance(RESERVE_CHECK_MS)
    await kept.look()
  }
  expect(asked.length).toBeGreaterThan(5)
  expect(asked.length).toBeLessThan(5 + (2 * hour) / RESERVE_RETRY.maxMs + 5)
  expect(lines.filter((line) => line.includes('RESERVATION_REFUSED'))).toHaveLength(1)
  refusing.clear()
  await clock.advance(RESERVE_RETRY.maxMs)
  await kept.look()
  expect(kept.refused).toBeUndefined()
})

test('when others reach the node directly, its reservations are given up and no relay is asked', async () => {
  const { kept, reserved, state, asked } = natted('a')
  await kept.look()
  state.wanted = false
  await kept.look()
  await kept.look()
  expect([reserved.size, asked.length]).toEqual([0, 1])
})
