import { setImmediate } from 'node:timers/promises'
import { MemoryDatastore } from 'datastore-core'
import { type Datastore, Key } from 'interface-datastore'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { keepPeersInMemory } from '../../../src/network/host/peer-records.ts'

const WRITE_EVERY_MS = 10_000
const keyOf = (peer: number | string) => new Key(`/peers/${peer}`)
const value = (number: number) => Uint8Array.of(number)

/** A disk that counts what it is asked, and can be slow or full. */
class Disk extends MemoryDatastore {
  asked = 0
  isFull = false
  ready = Promise.resolve()

  override batch() {
    const { put, delete: remove, commit } = super.batch()
    return { put, delete: remove, commit: () => this.ready.then(() => commit()) }
  }

  override get(key: Key) {
    this.asked++
    return super.get(key)
  }

  override put(key: Key, bytes: Uint8Array) {
    this.asked++
    if (this.isFull) throw new Error('no space left on device')
    return super.put(key, bytes)
  }
}

function open(disk: Datastore = new Disk()) {
  const clock = manualClock()
  const lines: string[] = []
  const log = createLog({ level: 'warn', write: (line) => void lines.push(line) })
  return { ...keepPeersInMemory(disk, { clock, log }), disk: disk as Disk, clock, lines }
}

const namesIn = async (store: Datastore) =>
  (await Array.fromAsync(store.queryKeys({ prefix: '/peers/' }))).map((key) => key.name()).sort()

test('what is known of a peer is read and put without the disk, and written now and then', async () => {
  const { store, disk, clock } = open()
  for (let count = 0; count < 100; count++) {
    await store.put(keyOf('a'), value(count))
    expect(await store.get(keyOf('a'))).toEqual(value(count))
  }
  expect(disk.asked).toBe(0)
  await clock.advance(WRITE_EVERY_MS)
  await expect.poll(() => disk.has(keyOf('a'))).toBe(true)
  expect(await disk.get(keyOf('a'))).toEqual(value(99))
})

test('a query finds what is not written yet, and an end writes it', async () => {
  const { store, disk, ...peers } = open()
  await store.put(keyOf('a'), value(1))
  expect(await namesIn(store)).toEqual(['a'])
  await store.put(keyOf('b'), value(2))
  await peers[Symbol.asyncDispose]()
  expect(await namesIn(disk)).toEqual(['a', 'b'])
})

test('on a full disk records are still kept and read, one warning says so, and they are written when there is room', async () => {
  const { store, disk, clock, lines } = open()
  disk.isFull = true
  await store.put(keyOf('a'), value(1))
  for (let round = 0; round < 3; round++) {
    await clock.advance(WRITE_EVERY_MS)
    expect(await namesIn(store)).toEqual([])
  }
  expect(await store.get(keyOf('a'))).toEqual(value(1))
  expect(lines).toEqual([expect.stringContaining('no space left on device')])
  disk.isFull = false
  expect(await namesIn(store)).toEqual(['a'])
})

test('the memory is bounded, and nothing is lost by it', async () => {
  const { store, disk, clock } = open()
  const peers = Array.from({ length: 2000 }, (_, number) => number)
  for (const peer of peers) await store.put(keyOf(peer), value(peer % 256))
  // only what is over the bound is written before its time
  expect((await namesIn(disk)).length).toBeGreaterThan(1400)
  for (const peer of peers) expect(await store.get(keyOf(peer))).toEqual(value(peer % 256))
  disk.isFull = true
  for (const peer of peers) await store.put(keyOf(`full-${peer}`), value(1))
  disk.isFull = false
  await clock.advance(WRITE_EVERY_MS)
  expect((await namesIn(store)).length).toBeLessThan(2000 + 600)
})

test('a record that is removed while it is written stays removed', async () => {
  const { store, disk } = open()
  await store.put(keyOf('a'), value(1))
  const { promise, resolve } = Promise.withResolvers<void>()
  disk.ready = promise
  const written = namesIn(store)
  await setImmediate()
  const removed = store.delete(keyOf('a'))
  await setImmediate()
  resolve()
  await Promise.all([written, removed])
  expect(await namesIn(disk)).toEqual([])
  await expect(store.get(keyOf('a'))).rejects.toThrow()
})

test('records of the DHT are not among them', async () => {
  const { store, disk } = open()
  await store.put(new Key('/dht/provider/a'), value(1))
  expect(await disk.get(new Key('/dht/provider/a'))).toEqual(value(1))
})
