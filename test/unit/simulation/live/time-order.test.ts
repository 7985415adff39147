import { expect, test } from 'vitest'
import { createTimeOrder } from '../../../../src/simulation/live/time-order.ts'

function told(sources: number) {
  const list: string[] = []
  return { list, order: createTimeOrder<string>(sources, (at, item) => void list.push(`${at} ${item}`)) }
}

test('what several sources tell comes in the order of its times', () => {
  const { list, order } = told(2)
  order.add(0, 10, 'a')
  order.add(0, 30, 'c')
  order.add(1, 20, 'b')
  expect(list).toEqual([])
  order.mark(1, 25)
  // the first source may still tell of nothing before 30, the second of something at 26
  expect(list).toEqual(['10 a', '20 b'])
  order.mark(1, 30)
  expect(list).toEqual(['10 a', '20 b', '30 c'])
})

test('one that is silent keeps the others waiting until it is given up, and nothing is lost', () => {
  const { list, order } = told(3)
  order.add(0, 1, 'a')
  order.mark(0, 100)
  order.mark(1, 100)
  expect(list).toEqual([])
  // it is given up by a mark in its place
  order.mark(2, 50)
  expect(list).toEqual(['1 a'])
  // what it tells all the same comes, and never before what was told already
  order.add(2, 2, 'late')
  order.mark(2, 60)
  expect(list).toEqual(['1 a', '50 late'])
  order.add(0, 200, 'z')
  order.flush()
  expect(list).toEqual(['1 a', '50 late', '200 z'])
})
