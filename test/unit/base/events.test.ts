import { describe, expect, it } from 'vitest'
import { createEvents, once } from '../../../src/base/events.ts'

type Map = { 'test:number': { value: number }; 'test:text': { value: string } }

describe('events', () => {
  it('reach those who listen to their name, and those who listen to all', () => {
    const events = createEvents<Map>()
    const seen: unknown[] = []
    events.on('test:number', ({ value }) => seen.push(value))
    events.onAny((name, detail) => seen.push([name, detail]))
    events.emit('test:number', { value: 1 })
    events.emit('test:text', { value: 'x' })
    expect(seen).toEqual([1, ['test:number', { value: 1 }], ['test:text', { value: 'x' }]])
  })

  it('end for a listener that was disposed', () => {
    const events = createEvents<Map>()
    const seen: unknown[] = []
    {
      using _named = events.on('test:number', ({ value }) => seen.push(value))
      using _any = events.onAny((name) => seen.push(name))
      events.emit('test:number', { value: 1 })
    }
    events.emit('test:number', { value: 2 })
    expect(seen).toEqual([1, 'test:number'])
  })

  it('reach the others when one listener throws', () => {
    const errors: unknown[] = []
    const events = createEvents<Map>((error) => errors.push(error))
    const seen: unknown[] = []
    events.on('test:number', () => {
      throw new Error('mine')
    })
    events.on('test:number', ({ value }) => seen.push(value))
    events.onAny((name) => seen.push(name))
    events.emit('test:number', { value: 1 })
    expect(seen).toEqual([1, 'test:number'])
    expect(errors).toEqual([new Error('mine')])
  })

  it('can be waited for, one that fits', async () => {
    const events = createEvents<Map>()
    const waiting = once(events, 'test:number', { where: ({ value }) => value > 1 })
    events.emit('test:number', { value: 1 })
    events.emit('test:number', { value: 2 })
    events.emit('test:number', { value: 3 })
    expect(await waiting).toEqual({ value: 2 })
  })

  it('are waited for until the signal says otherwise', async () => {
    const events = createEvents<Map>()
    const controller = new AbortController()
    const waiting = once(events, 'test:number', { signal: controller.signal })
    controller.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    await expect(once(events, 'test:number', { signal: controller.signal })).rejects.toThrow('stop')
  })
})
