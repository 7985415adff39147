import { expect, it } from 'vitest'
import { createChannel } from '../../../src/base/bounded-channel.ts'

it('a channel: hands out what was pushed before and while somebody waits, in order, until it ends', async () => {
  const channel = createChannel<number>(10)
  channel.push(1)
  const all = Array.fromAsync(channel)
  await Promise.resolve()
  for (const value of [2, 3]) channel.push(value)
  channel.end()
  channel.push(4)
  expect(await all).toEqual([1, 2, 3])
})

it('a channel: keeps the newest when nobody takes them, and counts what it dropped', async () => {
  const channel = createChannel<number>(2)
  for (const value of [1, 2, 3, 4]) channel.push(value)
  channel.end()
  expect(channel.dropped).toBe(2)
  expect(await Array.fromAsync(channel)).toEqual([3, 4])
})

it('a channel: ends with an error after what still waits', async () => {
  const channel = createChannel<number>(2)
  channel.push(1)
  channel.end(new Error('torn'))
  channel.end(new Error('later'))
  const seen: number[] = []
  const reading = (async () => {
    for await (const value of channel) seen.push(value)
  })()
  await expect(reading).rejects.toThrow('torn')
  expect(seen).toEqual([1])
})
