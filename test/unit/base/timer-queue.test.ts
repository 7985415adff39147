import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTimerQueue } from '../../../src/base/timer-queue.ts'
import { forAll } from '../../fixtures/property.ts'

const adding = fc.record({ at: fc.integer({ min: 0, max: 50 }), cancelled: fc.boolean() })

test('what was not cancelled comes out by its time, at one time in the order in which it was added', () => {
  forAll(200, [fc.array(adding, { maxLength: 300 }), fc.integer({ min: 0, max: 60 })], (entries, until) => {
    const queue = createTimerQueue()
    const out: number[] = []
    const cancels = entries.map(({ at }, index) => queue.add(at, () => void out.push(index)))
    entries.forEach(({ cancelled }, index) => {
      if (cancelled) cancels[index]?.()
    })
    for (let due = queue.takeDue(until); due !== undefined; due = queue.takeDue(until)) due.callback()
    const left = [...entries.keys()].filter((index) => entries[index]?.cancelled === false)
    const expected = left.filter((index) => (entries[index]?.at ?? 0) <= until)
    expect(out).toEqual(expected.sort((a, b) => (entries[a]?.at ?? 0) - (entries[b]?.at ?? 0) || a - b))
  })
})

test('a queue whose entries are cancelled as fast as they are added stays quick', () => {
  const queue = createTimerQueue()
  for (let n = 0; n < 200_000; n++) queue.add(1_000_000 + n, () => {})()
  let first = false
  queue.add(5, () => {
    first = true
  })
  queue.takeDue(5)?.callback()
  expect(first).toBe(true)
  expect(queue.takeDue(10_000_000)).toBeUndefined()
})
