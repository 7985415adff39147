import { describe, expect, it } from 'vitest'
import { BoundedMap, createBucket, createQueue, QueueFullError } from '../../../src/base/queue.ts'

/** Work that ends when it is told to. */
function job(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  return {
    work: () => {
      log.push(name)
      return promise
    },
    end: () => resolve(name),
    fail: () => reject(new Error(name)),
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('a queue', () => {
  it('runs as many at once as it may, in order; drops and counts what is over', async () => {
    const queue = createQueue({ name: 'test', concurrency: 2, max: 2 })
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

  it('never runs more than it may, also when work is added while another ends', async () => {
    const queue = createQueue({ name: 'test', concurrency: 1, max: 10 })
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
    }
    const first = queue.add(work)
    const second = queue.add(work)
    const third = first.then(() => queue.add(work))
    const now = Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => queue.add(work))
    await Promise.all([first, second, third, now])
    expect(most).toBe(1)
  })

  it('counts work that throws at once', async () => {
    const queue = createQueue({ name: 'test', concurrency: 1, max: 1 })
    const failing = queue.add(() => {
      throw new Error('at once')
    })
    await expect(failing).rejects.toThrow('at once')
    expect(await queue.add(async () => 5)).toBe(5)
  })

  it('is idle when nothing runs or waits', async () => {
    const queue = createQueue({ name: 'test', concurrency: 1, max: 5 })
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
})

describe('a bucket', () => {
  it('gives its burst at once, and refills with time, never above the burst', () => {
    let now = 0
    const bucket = createBucket({ burst: 3, perSecond: 2 }, () => now)
    expect([1, 1, 1, 1].map((count) => bucket.take(count))).toEqual([true, true, true, false])
    now += 500
    expect(bucket.take()).toBe(true)
    expect(bucket.take()).toBe(false)
    now += 1_000_000
    expect(bucket.take(4)).toBe(false)
    expect(bucket.take(3)).toBe(true)
  })
})

describe('a bounded map', () => {
  it('forgets the oldest; reading and writing make young', () => {
    const map = new BoundedMap<string, number>(2)
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
})
