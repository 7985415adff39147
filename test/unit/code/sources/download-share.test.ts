import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type Clock, type ManualClock, manualClock } from '../../../../src/base/clock.ts'
import { DOWNLOADS } from '../../../../src/code/constants.ts'
import { createDownloadSlots, type DownloadSlot } from '../../../../src/code/sources/download-slots.ts'
import { createCodeSources } from '../../../../src/code/sources/sources.ts'
import { watchSpeed } from '../../../../src/code/sources/speed-limit.ts'
import { type EgressComponents, machineNetwork } from '../../../../src/egress/index.ts'
import { codeOf, fetchSource, sourceServer } from '../../../fixtures/code/source-server.ts'
import { MIB, packFiles, testStore } from '../../../fixtures/code/stores.ts'
import { FILES, https, serve } from './archive-server.ts'

const WINDOW_MS = 15_000
const KIB = 1024

/** What is said of a server that sends so many bytes in each window; undefined where it is served for all of them. */
async function saidOf(windows: readonly number[], { attempts = 1, othersWait = false } = {}) {
  const clock = manualClock()
  const served = { bytes: 0, attempts }
  const said: string[] = []
  using _watch = watchSpeed(clock, { served, othersWait: () => othersWait, onSlow: (problem) => said.push(problem) })
  for (const bytes of windows) {
    served.bytes += bytes
    await clock.advance(WINDOW_MS)
  }
  return said[0]
}

describe('how slow a source may be', () => {
  const slowest = 4 * KIB * 15
  test('4 KiB a second are served, and less is not, in whatever rhythm it comes', async () => {
    expect(await saidOf(Array(60).fill(slowest))).toBeUndefined()
    const tooSlow = 'it came at less than 4 KiB a second for 30 s'
    expect(await saidOf(Array(60).fill(slowest - 1))).toBe(tooSlow)
    // a burst in every second window resets nothing
    expect(await saidOf(Array.from({ length: 60 }, (_, at) => (at % 2) * slowest))).toBe(tooSlow)
    expect(await saidOf(Array.from({ length: 60 }, (_, at) => (at % 2) * 2 * slowest))).toBeUndefined()
  })

  test('a process that is busy with what came is left alone; a server that closes and is asked again is not', async () => {
    expect(await saidOf([slowest, 0, 0, 0, 0, 0, 0], { attempts: 0 })).toBeUndefined()
    expect(await saidOf([1, 1, 1], { attempts: 0 })).toContain('less than 4 KiB')
  })

  test('where other authors wait, 64 KiB a second are served, and less is not', async () => {
    const rate = 64 * KIB * 15
    expect(await saidOf(Array(60).fill(rate), { othersWait: true })).toBeUndefined()
    expect(await saidOf(Array(3).fill(rate - 1), { othersWait: true })).toBeUndefined()
    expect(await saidOf(Array(60).fill(rate - 1), { othersWait: true })).toBe(
      'it came at less than 64 KiB a second for 60 s while other authors wait for its download slot',
    )
  })
})

/** Downloads that share one link, each of an author of its own. One that makes room begins again. */
async function shareLink(authors: number, { bytesPerSecond, size }: { bytesPerSecond: number; size: number }) {
  const clock = manualClock()
  const slots = createDownloadSlots(DOWNLOADS)
  const links = new Set<{ bytes: number; attempts: number; arrived: () => void }>()
  const arrived = new Set<string>()
  const said: string[] = []

  async function download(author: string, slot: DownloadSlot): Promise<void> {
    const end = Promise.withResolvers<void>()
    const served = { bytes: 0, attempts: 1, arrived: () => end.resolve() }
    links.add(served)
    using _watch = watchSpeed(clock, {
      ...{ served, slot, othersWait: slot.othersWait },
      onSlow: (problem) => end.reject(new Error(problem)),
    })
    await end.promise.finally(() => links.delete(served))
    arrived.add(author)
  }

  async function fetch(author: string): Promise<void> {
    while (!arrived.has(author)) {
      await slots.run({ author, what: 'code' }, (slot) => download(author, slot)).catch((e) => said.push(e.message))
    }
  }

  const all = Array.from({ length: authors }, (_, at) => fetch(`author-${at}`))
  /** until all have arrived, but no longer */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds && arrived.size < authors; second++) {
      for (const link of links) link.bytes += bytesPerSecond / links.size
      for (const link of links) if (link.bytes >= size) link.arrived()
      await clock.advance(1000)
    }
  }
  return { all, pass, arrived, said }
}

describe('a link that gives each of four downloads less than is asked where others wait', () => {
  test('large code of nine authors arrives all the same: what made room has longer the next time', async () => {
    const { all, pass, arrived, said } = await shareLink(9, { bytesPerSecond: 732 * KIB, size: 60 * MIB })
    await pass(4 * 3600)
    expect(arrived.size).toBe(9)
    await Promise.all(all)
    const reason = (seconds: number) =>
      `it came at less than 256 KiB a second for ${seconds} s while other authors wait for its download slot, and is the slowest of all`
    expect(said[0]).toBe(reason(120))
    expect(said).toContain(reason(240))
  })

  test('it has twice as long each time, and never longer than a download may take', async () => {
    const clock = manualClock()
    const slots = createDownloadSlots({ max: 1, maxPerAuthor: 1 })
    const held: number[] = []
    for (let time = 0; time < 6; time++) {
      const startedAt = clock.monotonic()
      const served = { bytes: 0, attempts: 1 }
      const run = slots.run({ author: 'mallory', what: 'code' }, async (slot) => {
        const slow = Promise.withResolvers<void>()
        using _watch = watchSpeed(clock, { served, slot, othersWait: slot.othersWait, onSlow: () => slow.resolve() })
        await slow.promise
        held.push((clock.monotonic() - startedAt) / 1000)
      })
      const other = slots.run({ author: 'alice', what: 'code' }, async () => {})
      while (held.length === time) {
        served.bytes += 100 * KIB
        await clock.advance(1000)
      }
      await Promise.all([run, other])
    }
    expect(held).toEqual([120, 240, 480, 900, 900, 900])
  })

  test('who has longer, and is slower, keeps no other from making room', async () => {
    const slots = createDownloadSlots({ max: 2, maxPerAuthor: 1 })
    const run = async (author: string) => {
      const { promise, resolve } = Promise.withResolvers<DownloadSlot>()
      const end = Promise.withResolvers<void>()
      const done = slots.run({ author, what: 'code' }, (slot) => {
        resolve(slot)
        return end.promise
      })
      const leave = async () => {
        end.resolve()
        await done
      }
      return { slot: await promise, leave }
    }
    const before = await run('mallory')
    expect(before.slot.makesRoom()).toBe(true)
    await before.leave()
    const [slow, fast] = [await run('mallory'), await run('bob')]
    slow.slot.report(1)
    fast.slot.report(2)
    expect([slow.slot.timesMadeRoom, fast.slot.timesMadeRoom]).toEqual([1, 0])
    expect(fast.slot.makesRoom()).toBe(true)
    // one at a time
    expect(slow.slot.makesRoom()).toBe(false)
  })
})

/** Moves the clock until the work is over. */
async function advanceUntilOver<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false
  const done = () => {
    over = true
  }
  void work.then(done, done)
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    await clock.advance(1000)
  }
  return await work
}

test('a server that drips is given up, whatever the time limit of the whole', async () => {
  const clock = manualClock()
  const { url } = await serve((response) => response.writeHead(200).write('x'))
  const fetching = fetchSource(https(`${url}/a`), FILES, { clock })
  await expect(advanceUntilOver(clock, fetching)).rejects.toThrow(`${url}/a: it came at less than 4 KiB`)
})

/** The network of this machine, and how many bytes have come through it. */
function countedNetwork(clock: Clock) {
  const network = machineNetwork(clock)
  let bytes = 0
  const open: EgressComponents['open'] = async (...target) => {
    const connection = await network.open(...target)
    connection.on('data', (piece: Buffer) => {
      bytes += piece.byteLength
    })
    return connection
  }
  return { network: { ...network, open }, came: () => bytes }
}

describe('the download slots', () => {
  async function sourcesOf(pages: Parameters<typeof sourceServer>[0]) {
    const clock = manualClock()
    const { network, came } = countedNetwork(clock)
    const { store, events } = await testStore()
    const server = await sourceServer(pages)
    const storage = () => ({ ALLOWED_STORAGE: ['127.0.0.1'], REGISTRIES: {} })
    const sources = createCodeSources({ clock, events, store, network }, { storage })
    const code = await codeOf(FILES)
    const limits = { maxBytes: 16 * MIB, maxEntries: 100 }
    const stop = new AbortController()
    const fetch = (path: string, author: string) => {
      const fetching = sources.fetch(https(`${server.url}${path}`), code, { limits, author, signal: stop.signal })
      fetching.catch(() => {})
      return fetching
    }
    return { clock, server, sources, store, code, fetch, stop, came }
  }
  const silent = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`/slow-${at}`, () => {}]))

  test('one author holds two of them, however many downloads wait, and another is served at once', async () => {
    const tar = Buffer.concat(await Array.fromAsync(packFiles(FILES)))
    const { server, store, code, fetch, stop } = await sourcesOf(() => ({ ...silent, '/good': tar }))
    const hostile = Array.from({ length: 9 }, (_, at) => fetch(`/slow-${at}`, 'mallory'))
    await expect.poll(() => server.asked.length).toBe(2)
    await fetch('/good', 'alice')
    expect(store.has(code)).toBe(true)
    expect(server.asked.toSorted()).toEqual(['/good', '/slow-0', '/slow-1'])
    stop.abort(new Error('stopped'))
    // also those that still wait
    const ends = await Promise.allSettled(hostile)
    expect(ends.map((end) => end.status === 'rejected' && String(end.reason))).toEqual(Array(9).fill('Error: stopped'))
  })

  test('of four that send just what they must, the slowest makes room for an author who waits longer', async () => {
    const endless = Buffer.concat(await Array.fromAsync(packFiles([{ path: 'a', content: Buffer.alloc(60 * MIB) }])))
    const tar = Buffer.concat(await Array.fromAsync(packFiles(FILES)))
    const open: ServerResponse[] = []
    const slow = (response: ServerResponse) => void open.push(response.writeHead(200))
    const { clock, store, code, fetch, stop, came } = await sourcesOf(() => ({ '/slow': slow, '/good': tar }))
    const hostile = ['a', 'b', 'c', 'd'].map((author) => fetch('/slow', author))
    const ends = hostile.map((each) => each.then(String, String))
    await expect.poll(() => open.length).toBe(4)
    const good = fetch('/good', 'alice')
    const rates = [70, 90, 80, 100].map((rate) => rate * KIB * 15)
    const all = rates.reduce((sum, rate) => sum + rate, 0)
    for (let window = 0; window < 8; window++) {
      const before = came()
      for (const [at, response] of open.entries()) {
        const rate = rates[at] ?? 0
        response.write(endless.subarray(window * rate, (window + 1) * rate))
      }
      await expect.poll(() => came() - before).toBeGreaterThanOrEqual(all)
      expect(store.has(code)).toBe(false)
      await clock.advance(WINDOW_MS)
    }
    await good
    expect(store.has(code)).toBe(true)
    const over = await Promise.all(
      ends.map((end) => Promise.race([end, new Promise((resolve) => setTimeout(resolve, 50))])),
    )
    expect(over.filter((end) => end !== undefined)).toEqual([expect.stringContaining('and is the slowest of all')])
    stop.abort()
    await Promise.all(ends)
  })

  test('a download says why it waits for its slot', async () => {
    const { fetch, stop, server, sources, code } = await sourcesOf(() => silent)
    const fetches = [0, 1, 2].map((at) => fetch(`/slow-${at}`, 'mallory'))
    await expect.poll(() => server.asked.length).toBe(2)
    expect(sources.whyWaits(code, 'mallory')).toBe("two of this author's are under way")
    expect(sources.whyWaits(code, 'alice')).toBeUndefined()
    fetches.push(...[3, 4].map((at) => fetch(`/slow-${at}`, 'bob')))
    await expect.poll(() => server.asked.length).toBe(4)
    fetches.push(fetch('/slow-5', 'alice'))
    await expect.poll(() => sources.whyWaits(code, 'alice')).toBe('all 4 slots are in use')
    stop.abort(new Error('stopped'))
    await expect.poll(() => sources.whyWaits(code, 'alice')).toBeUndefined()
    // they write into the test's folder
    await Promise.allSettled(fetches)
  })

  test('four that are slow make room for an author who waits, and say so', async () => {
    const endless = Buffer.concat(await Array.fromAsync(packFiles([{ path: 'a', content: Buffer.alloc(8 * MIB) }])))
    const tar = Buffer.concat(await Array.fromAsync(packFiles(FILES)))
    const open: ServerResponse[] = []
    const slow = (response: ServerResponse) => void open.push(response.writeHead(200))
    const { clock, store, code, fetch, stop, came } = await sourcesOf(() => ({ '/slow': slow, '/good': tar }))
    const hostile = ['a', 'a', 'b', 'b'].map((author) => fetch('/slow', author))
    await expect.poll(() => open.length).toBe(4)
    const good = fetch('/good', 'alice')
    const rate = 8 * KIB * 15
    for (let window = 0; window < 4; window++) {
      const before = came()
      for (const response of open) response.write(endless.subarray(window * rate, (window + 1) * rate))
      await expect.poll(() => came() - before).toBeGreaterThanOrEqual(4 * rate)
      await clock.advance(WINDOW_MS)
    }
    await good
    expect(store.has(code)).toBe(true)
    for (const slowOne of hostile)
      await expect(slowOne).rejects.toThrow('while other authors wait for its download slot')
    stop.abort()
  })
})
