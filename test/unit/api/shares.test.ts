import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test as base, expect } from 'vitest'
import { createShares, shareKey } from '../../../src/api/shares.ts'

function socketFrom(remoteAddress: string): Socket & { destroyed: boolean } {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    destroyed: false,
    destroy() {
      socket.destroyed = true
      socket.emit('close')
    },
  })
  return socket as unknown as Socket & { destroyed: boolean }
}

const test = base.extend('shares', () => createShares({ total: 6, perAddress: 3, requestsPerAddress: 2 }))

test('an address that opens one more than its share loses its oldest idle one', ({ shares }) => {
  const all = Array.from({ length: 4 }, () => socketFrom('10.0.0.1'))
  for (const [index, socket] of all.entries()) {
    shares.add(socket)
    if (index === 0) shares.begin(socket)
  }
  expect(all.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false])
  expect(shares.size).toBe(3)
})

test('with all places taken, a newcomer displaces one of the address that has most', ({ shares }) => {
  const greedy = Array.from({ length: 3 }, () => socketFrom('10.0.0.1'))
  const others = ['2', '3', '4'].map((last) => socketFrom(`10.0.0.${last}`))
  for (const socket of [...greedy, ...others]) shares.add(socket)
  const newcomer = socketFrom('10.0.0.5')
  shares.add(newcomer)
  expect(greedy.map(({ destroyed }) => destroyed)).toEqual([true, false, false])
  expect([...others, newcomer].some(({ destroyed }) => destroyed)).toBe(false)
})

test('what has shown the token is not displaced, and all is forgotten with its connection', ({ shares }) => {
  const mine = socketFrom('10.0.0.1')
  shares.add(mine)
  shares.trust(mine)
  const rest = Array.from({ length: 9 }, () => socketFrom('10.0.0.1'))
  for (const socket of rest) shares.add(socket)
  expect(mine.destroyed).toBe(false)
  expect(Array.from({ length: 5 }, () => shares.begin(mine))).not.toContain(false)
  for (const socket of rest) socket.destroy()
  expect(shares.size).toBe(0)
})

test('requests in flight are counted by address, and end with their connection', ({ shares }) => {
  const [one, two] = [socketFrom('10.0.0.1'), socketFrom('::ffff:10.0.0.1')]
  for (const socket of [one, two]) shares.add(socket)
  expect([shares.begin(one), shares.begin(two), shares.begin(two)]).toEqual([true, true, false])
  shares.end(one)
  expect(shares.begin(one)).toBe(true)
  one.destroy()
  expect(shares.begin(two)).toBe(true)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['2001:db8:0:1::5', '2001:db8:0:1::/64'],
  ['2001:db8:0:1:9:8:7:6', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s shares with %s', (address, key) => {
  expect(shareKey(address)).toBe(key)
})
