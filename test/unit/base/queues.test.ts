import { expect, it } from 'vitest'
import { createChannel } from '../../../src/base/bounded-channel.ts'
import { LruMap } from '../../../src/base/lru-map.ts'
import { createTokenBucket } from '../../../src/base/token-bucket.ts'
import { createWorkQueue, QueueFullError } from '../../../src/base/work-queue.ts'

it('a channel: hands out what was pushed before and while a consumer waits, in order, until it ends', async () => {
  const channel = createChannel<number>(10)
  channel.push(1)
  const all = Array.fromAsync(channel)
  await Promise.resolve()
  for (const value of [2, 3]) channel.push(value)
  channel.end()
  channel.push(4)
  expect(await all).toEqual([1, 2, 3])
})

it('a channel: keeps the newest when nothing takes them, and counts what it dropped', async () => {
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

const queueOf = (concurrency: number, max: number) => createWorkQueue({ name: 'test', concurrency, max })

/** Work that ends when the test says so. */
function job(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const work = () => {
    log.push(name)
    return promise
  }
  return { work, end: () => resolve(name), fail: () => reject(new Error(name)) }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

it('a work queue: runs as many at once as it may, in order; drops and counts what is over', async () => {
  const queue = queueOf(2, 2)
  const log: string[] = []
  const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => job(log, name))
  const [a, b, c, d, e] = jobs.map(({ work }) => queue.add(work))
  await expect(e).rejects.toThrow(QueueFullError)
  await expect(e).rejects.toThrow('the test queue is full (2 waiting)')
  expect(new QueueFullError('').shouldRetry()).toBe(true)
  expect(queue).toMatchObject({ running: 2, waiting: 2, dropped: 1 })
  expect(log).toEqual(['a', 'b'])

  jobs[1]?.end()
  expect(await b).toBe('b')
  await settle()
  expect(log).toEqual(['a', 'b', 'c'])
  jobs[0]?.fail()
  await expect(a).rejects.toThrow('a')
  await settle()
  expect(log).toEqual(['a', 'b', 'c', 'd'])
  jobs[2]?.end()
  jobs[3]?.end()
  await Promise.all([c, d])
  expect(queue).toMatchObject({ running: 0, waiting: 0, dropped: 1 })
})

it('a work queue: never runs more than it may, also when work is added while another ends', async () => {
  const queue = queueOf(1, 10)
  let running = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
  }
  const [first, second] = [queue.add(work), queue.add(work)]
  const third = first.then(() => queue.add(work))
  const now = Promise.resolve()
    .then(() => Promise.resolve())
    .then(() => queue.add(work))
  await Promise.all([first, second, third, now])
  expect(most).toBe(1)
})

it('a work queue: counts work that throws at once', async () => {
  const queue = queueOf(1, 1)
  const fail = () => {
    throw new Error('at once')
  }
  await expect(queue.add(fail)).rejects.toThrow('at once')
  expect(await queue.add(async () => 5)).toBe(5)
})

it('a work queue: is idle when nothing runs or waits', async () => {
  const queue = queueOf(1, 5)
  await queue.idle()
  const log: string[] = []
  const jobs = ['a', 'b'].map((name) => job(log, name))
  const added = jobs.map(({ work }) => queue.add(work))
  let idle = false
  const waiting = queue.idle().then(() => {
    idle = true
  })
  jobs[0]?.end()
  await settle()
  expect(idle).toBe(false)
  jobs[1]?.end()
  await Promise.all([...added, waiting])
  expect(idle).toBe(true)
})

it('a token bucket: gives its burst at once, and refills with time, never above the burst', () => {
  let now = 0
  const bucket = createTokenBucket({ burst: 3, perSecond: 2 }, () => now)
  expect([1, 1, 1, 1].map((count) => bucket.take(count))).toEqual([true, true, true, false])
  now += 500
  expect(bucket.take()).toBe(true)
  expect(bucket.take()).toBe(false)
  now += 1_000_000
  expect(bucket.take(4)).toBe(false)
  expect(bucket.take(3)).toBe(true)
})

it('a bucket of tokens: what is spent beyond them is owed, and says for how long', () => {
  let now = 1000
  const bucket = createTokenBucket({ burst: 3, perSecond: 2 }, () => now)
  expect([bucket.waitMs(), bucket.waitMs(3), bucket.waitMs(4)]).toEqual([0, 0, 500])
  bucket.spend(5)
  expect([bucket.waitMs(), bucket.waitMs(1), bucket.take()]).toEqual([1000, 1500, false])
  now += 1500
  expect([bucket.waitMs(), bucket.take(), bucket.take()]).toEqual([0, true, false])
})

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
