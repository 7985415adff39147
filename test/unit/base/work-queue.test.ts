import { describe, expect, it } from 'vitest'
import { createWorkQueue, QueueFullError } from '../../../src/base/work-queue.ts'

/** Work that ends when the test says so. */
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

describe('a work queue', () => {
  it('runs as many at once as it may, in order; drops and counts what is over', async () => {
    const queue = createWorkQueue({ name: 'test', concurrency: 2, max: 2 })
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
    const queue = createWorkQueue({ name: 'test', concurrency: 1, max: 10 })
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
    const queue = createWorkQueue({ name: 'test', concurrency: 1, max: 1 })
    const failing = queue.add(() => {
      throw new Error('at once')
    })
    await expect(failing).rejects.toThrow('at once')
    expect(await queue.add(async () => 5)).toBe(5)
  })

  it('is idle when nothing runs or waits', async () => {
    const queue = createWorkQueue({ name: 'test', concurrency: 1, max: 5 })
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
