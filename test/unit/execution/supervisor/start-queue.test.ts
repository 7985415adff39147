import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createStartQueue } from '../../../../src/execution/supervisor/start-queue.ts'

const OVERDUE_MS = 1000

const startOf = (executor = 'host', author = 'anybody') => ({ executor, author })

function queueOf(atOnce: number, { maxOverdue = 2, maxOverdueOfAuthor = 2 } = {}) {
  const clock = manualClock(0)
  const queue = createStartQueue(clock, { atOnce, overdueMs: OVERDUE_MS, maxOverdue, maxOverdueOfAuthor })
  const begun: string[] = []
  const waited: string[] = []
  const turns = new Map<string, Disposable>()
  const stops = new Map<string, AbortController>()
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    begun,
    waited,
    settle,
    /** "docker 1" is a start of the executor "docker", and "docker 1 eve" one of the author "eve". */
    async enter(...names: string[]) {
      for (const name of names) {
        const stop = new AbortController()
        stops.set(name, stop)
        const [executor = '', , author = 'anybody'] = name.split(' ')
        const turn = queue.enter(startOf(executor, author), {
          signal: stop.signal,
          onWait: () => void waited.push(name),
        })
        turn.then(
          (it) => {
            begun.push(name)
            turns.set(name, it)
          },
          () => {},
        )
      }
      await settle()
    },
    async end(name: string) {
      turns.get(name)?.[Symbol.dispose]()
      await settle()
    },
    async stop(name: string) {
      stops.get(name)?.abort(new Error('stopped'))
      await settle()
    },
    async late() {
      await clock.advance(OVERDUE_MS)
      await settle()
    },
    take: () => begun.splice(0),
    queue,
  }
}

describe('the queue of starts', () => {
  it('lets so many begin at once, and the next one, in the order in which they came, when one is over', async () => {
    const starts = queueOf(2)
    await starts.enter('host 1', 'docker 2', 'host 3', 'docker 4', 'host 5')
    expect(starts.take()).toEqual(['host 1', 'docker 2'])
    expect(starts.waited).toEqual(['host 3', 'docker 4', 'host 5'])
    await starts.end('docker 2')
    expect(starts.take()).toEqual(['host 3'])
    await starts.end('host 1')
    await starts.end('host 3')
    expect(starts.take()).toEqual(['docker 4', 'host 5'])
  })

  it('counts the end of a start once', async () => {
    const starts = queueOf(1)
    await starts.enter('host 1', 'host 2', 'host 3')
    await starts.end('host 1')
    await starts.end('host 1')
    expect(starts.take()).toEqual(['host 1', 'host 2'])
  })

  it('forgets one that is stopped while it waits', async () => {
    const starts = queueOf(1)
    await starts.enter('host 1', 'host 2', 'host 3')
    await starts.stop('host 2')
    await starts.end('host 1')
    expect(starts.take()).toEqual(['host 1', 'host 3'])
    await starts.stop('host 3')
    await starts.enter('host 4')
    expect(starts.take()).toEqual([])
    await starts.end('host 3')
    expect(starts.take()).toEqual(['host 4'])
  })

  it('rejects with the reason of the signal, before and during the wait', async () => {
    const { queue } = queueOf(1)
    await expect(queue.enter(startOf(), { signal: AbortSignal.abort(new Error('over')) })).rejects.toThrow('over')
    using _first = await queue.enter(startOf(), { signal: new AbortController().signal })
    const stop = new AbortController()
    const second = queue.enter(startOf(), { signal: stop.signal })
    stop.abort(new Error('stopped'))
    await expect(second).rejects.toThrow('stopped')
  })

  it('holds nothing for one whose wait could not be reported', async () => {
    const starts = queueOf(1)
    await starts.enter('host 1')
    const onWait = () => {
      throw new Error('the disk is full')
    }
    const refused = starts.queue.enter(startOf(), { signal: new AbortController().signal, onWait })
    await expect(refused).rejects.toThrow('the disk is full')
    await starts.enter('host 2')
    await starts.end('host 1')
    expect(starts.take()).toEqual(['host 1', 'host 2'])
  })

  it('lets the next one begin beside a start that is overdue, which frees nothing more when it is over', async () => {
    const starts = queueOf(1)
    await starts.enter('host 1', 'host 2', 'host 3')
    await starts.late()
    expect(starts.take()).toEqual(['host 1', 'host 2'])
    await starts.end('host 1')
    expect(starts.take()).toEqual([])
    await starts.end('host 2')
    expect(starts.take()).toEqual(['host 3'])
  })

  it('begins nothing more with an executor that has too many overdue starts, and the others go on', async () => {
    const starts = queueOf(1)
    await starts.enter('docker 1', 'docker 2', 'docker 3', 'host 1')
    await starts.late()
    await starts.late()
    expect(starts.take()).toEqual(['docker 1', 'docker 2', 'host 1'])
    await starts.end('host 1')
    await starts.enter('host 2')
    expect(starts.take()).toEqual(['host 2'])
    await starts.end('host 2')
    expect(starts.take()).toEqual([])
    await starts.end('docker 2')
    expect(starts.take()).toEqual(['docker 3'])
  })

  it('begins nothing more of an author with too many overdue starts, while others of the same executor go on', async () => {
    const starts = queueOf(1, { maxOverdue: 3, maxOverdueOfAuthor: 2 })
    await starts.enter('docker 1 eve', 'docker 2 eve', 'docker 3 eve', 'docker 4 eve', 'docker 5 bob', 'host 6 eve')
    await starts.late()
    await starts.late()
    expect(starts.take()).toEqual(['docker 1 eve', 'docker 2 eve', 'docker 5 bob'])
    await starts.end('docker 5 bob')
    expect(starts.take()).toEqual(['host 6 eve'])
    await starts.end('host 6 eve')
    await starts.enter('docker 7 bob')
    expect(starts.take()).toEqual(['docker 7 bob'])
    await starts.end('docker 7 bob')
    expect(starts.take()).toEqual([])
    await starts.end('docker 1 eve')
    expect(starts.take()).toEqual(['docker 3 eve'])
  })
})
