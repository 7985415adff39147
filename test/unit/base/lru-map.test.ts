import { expect, it } from 'vitest'
import { LruMap } from '../../../src/base/lru-map.ts'

it('an LRU map: forgets the oldest; reading and writing make young', () => {
  const map = new LruMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect(map.has('b')).toBe(false)
  expect([...map.entries()]).toEqual([
    ['a', 1],
    ['c', 3],
  ])
  map.set('a', 4)
  map.set('d', 5)
  expect(map.get('c')).toBeUndefined()
  expect(map.size).toBe(2)
  expect(map.delete('a')).toBe(true)
  expect(map.get('a')).toBeUndefined()
})
