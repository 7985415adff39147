import { expect, test } from 'vitest'
import { createOpenSlots } from '../../../src/network/streams/open-slots.ts'

const forever = new AbortController().signal

test('slots are taken in the order of their requests', async () => {
  const slots = createOpenSlots(1)
  const order: string[] = []
  const first = await slots.take('peer', forever)
  const others = ['a', 'b'].map(async (name) => {
    using _slot = await slots.take('peer', forever)
    order.push(name)
  })
  expect(order).toEqual([])
  first[Symbol.dispose]()
  await Promise.all(others)
  expect(order).toEqual(['a', 'b'])
})

test('a slot that is freed in the moment in which its taker gives up goes to the next', async () => {
  const slots = createOpenSlots(1)
  const first = await slots.take('peer', forever)
  const leaving = new AbortController()
  const left = slots.take('peer', leaving.signal)
  const next = slots.take('peer', forever)
  leaving.abort(new Error('gave up'))
  first[Symbol.dispose]()
  await expect(left).rejects.toThrow('gave up')
  const second = await next
  second[Symbol.dispose]()
  await expect(slots.take('peer', forever)).resolves.toBeDefined()
})
