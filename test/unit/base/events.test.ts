import { expect, test } from 'vitest'
import { createEvents, once } from '../../../src/base/events.ts'

type Map = { 'test:number': { value: number }; 'test:text': { value: string } }

const it = test
  .extend('seen', (): unknown[] => [])
  .extend('errors', (): unknown[] => [])
  .extend('events', ({ errors }) => createEvents<Map>((error) => errors.push(error)))

it('events: reach those who listen to their name, and those who listen to all', ({ events, seen }) => {
  events.on('test:number', ({ value }) => seen.push(value))
  events.onAny((name, detail) => seen.push([name, detail]))
  events.emit('test:number', { value: 1 })
  events.emit('test:text', { value: 'x' })
  expect(seen).toEqual([1, ['test:number', { value: 1 }], ['test:text', { value: 'x' }]])
})

it('events: end for a listener that was disposed', ({ events, seen }) => {
  {
    using _named = events.on('test:number', ({ value }) => seen.push(value))
    using _any = events.onAny((name) => seen.push(name))
    events.emit('test:number', { value: 1 })
  }
  events.emit('test:number', { value: 2 })
  expect(seen).toEqual([1, 'test:number'])
})

it('events: reach the others when one listener throws', ({ events, seen, errors }) => {
  events.on('test:number', () => {
    throw new Error('mine')
  })
  events.on('test:number', ({ value }) => seen.push(value))
  events.onAny((name) => seen.push(name))
  events.emit('test:number', { value: 1 })
  expect(seen).toEqual([1, 'test:number'])
  expect(errors).toEqual([new Error('mine')])
})

it('events: can be waited for, one that fits', async ({ events }) => {
  const waiting = once(events, 'test:number', { where: ({ value }) => value > 1 })
  for (const value of [1, 2, 3]) events.emit('test:number', { value })
  expect(await waiting).toEqual({ value: 2 })
})

it('events: are waited for until the signal says otherwise', async ({ events }) => {
  const controller = new AbortController()
  const wait = () => once(events, 'test:number', { signal: controller.signal })
  const waiting = wait()
  controller.abort(new Error('stop'))
  for (const one of [waiting, wait()]) await expect(one).rejects.toThrow('stop')
})
