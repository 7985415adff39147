import { expect, test } from 'vitest'
import { fastRandom } from '../../../../src/simulation/plan/random.ts'
import { createCalendar } from '../../../../src/simulation/virtual/calendar.ts'

test('events come in the order of their ticks, and within one in their own, whenever they were added', () => {
  const random = fastRandom('calendar')
  const calendar = createCalendar()
  const expected: { tick: number; event: number }[] = []
  const add = (tick: number) => {
    const event = random.int(1_000_000)
    expected.push({ tick, event })
    calendar.add(tick, event)
  }
  // many on one tick, and some far away
  for (let count = 0; count < 3000; count++) add(random.int(3) === 0 ? random.int(50_000) : 4000 + random.int(200))
  const taken: { tick: number; event: number }[] = []
  let now = 0
  for (let tick = calendar.next(0); tick !== undefined; tick = calendar.next(now)) {
    // something that nobody had seen coming happens before it
    if (random.int(4) === 0 && tick > now + 2) {
      now += 1 + random.int(tick - now - 1)
      add(now + 1)
      continue
    }
    now = tick
    for (const event of calendar.take(tick)) taken.push({ tick, event })
    if (taken.length < 4000) add(tick + 1 + random.int(9000))
  }
  expect(calendar.size).toBe(0)
  expect(taken).toEqual(expected.toSorted((a, b) => a.tick - b.tick || a.event - b.event))
})
