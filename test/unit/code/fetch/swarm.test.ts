import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { seededRng } from '../../../../src/base/rng.ts'
import { createChunkPicker } from '../../../../src/code/fetch/chunk-picker.ts'
import {
  advanceUntil,
  madeUp,
  modifiedProvider,
  promiseState,
  publish,
  recordingProvider,
  startFetch,
} from '../fetch-fixtures.ts'

const chunkOf = (request: { want: string; first?: number }) => (request.want === 'chunks' ? request.first : undefined)

describe('several nodes fetch one code at the same time', () => {
  test('each begins with chunks of its own, so that they can give them to each other', async () => {
    const there = await publish()
    const firsts = new Set<number | undefined>()
    for (let node = 0; node < 12; node++) {
      const { asked, alice } = recordingProvider(there)
      await (await startFetch(there.code, { alice })).work
      firsts.add(asked.find((index) => index >= 0))
    }
    expect(firsts.size).toBeGreaterThan(2)
  })

  test('the chunk that most providers lack is asked for first', () => {
    const picker = createChunkPicker({ clock: manualClock(), rng: seededRng('rarest') }, 8, () => false)
    const provider = (...lacks: number[]) => {
      const peer = { superseded() {} }
      for (const index of lacks) picker.refused(peer, index)
      return peer
    }
    provider(5, 6)
    provider(5)
    const alice = provider()
    expect([picker.next(alice), picker.next(alice)]).toEqual([5, 6])
  })

  test.each([
    ['not at once', [2_900], false],
    ['after seconds where nothing has come', [3_100], true],
    ['not when it takes as long as others on a slow line', [2_900, 6_000], false],
    ['when it takes much longer than they did', [2_900, 30_000], true],
  ])('a chunk that a provider owes is also asked of another: %s', async (_, rounds, expected) => {
    const clock = manualClock()
    const picker = createChunkPicker({ clock, rng: seededRng('slow') }, 6 * rounds.length, () => false)
    const [alice, bob] = [{ superseded() {} }, { superseded() {} }]
    let again: number | undefined
    let owed = -1
    for (const ms of rounds) {
      owed = picker.next(alice) as number
      const others = Array.from({ length: 5 }, () => picker.next(bob) as number)
      await clock.advance(ms)
      // in the last round no other chunk is left; of its own bob is not asked twice
      if (ms === rounds.at(-1)) again = picker.next(bob)
      else for (const index of [owed, ...others]) picker.completed(index)
    }
    expect(again === owed).toBe(expected)
  })

  test('a provider that is still fetching is asked again for what it did not have', async () => {
    const there = await publish()
    const clock = manualClock()
    const had = new Set([0, 1])
    let refused = 0
    const partial = modifiedProvider(there, (request, honest) => {
      const chunk = chunkOf(request)
      if (chunk === undefined || had.has(chunk)) return honest
      refused++
      return { is: 'error', message: 'not here yet' }
    })
    const here = await startFetch(there.code, { partial }, { clock })
    await expect.poll(() => refused).toBeGreaterThan(0)
    for (let chunk = 2; chunk < 9; chunk++) had.add(chunk)
    await advanceUntil(clock, 100, () => promiseState(here.work)).toBe('resolved')
    // a busy or incomplete provider is not asked without end
    expect(refused).toBeLessThan(40)
  })

  test('a provider that has nothing for long is given up', async () => {
    const there = await publish()
    const clock = manualClock()
    const empty = modifiedProvider(there, (request, honest) =>
      chunkOf(request) === undefined ? honest : { is: 'error', message: 'not here' },
    )
    const here = await startFetch(there.code, { empty }, { clock })
    await advanceUntil(clock, 250, () => promiseState(here.work)).toBe('rejected')
    await expect(here.work).rejects.toThrow('empty: it says: not here')
  })

  test('silent providers in every place make room for one that gives', async () => {
    const there = await publish()
    const clock = manualClock()
    const silent = modifiedProvider(there, (request, honest) => (chunkOf(request) === undefined ? honest : undefined))
    let askedAt: number | undefined
    const alice = modifiedProvider(there, (_request, honest) => {
      askedAt ??= clock.monotonic()
      return honest
    })
    const peers = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`silent-${at}`, silent]))
    const here = await startFetch(there.code, { ...peers, alice }, { clock })
    await advanceUntil(clock, 50, () => promiseState(here.work)).toBe('resolved')
    // long before their silence is a failure of its own; on a busy disk the transfer itself takes longer
    expect(askedAt).toBeLessThan(30_000)
  })

  test('made-up providers do not keep out the one that has it', async () => {
    const there = await publish()
    const clock = manualClock()
    const here = await startFetch(there.code, { ...madeUp(60), alice: there.store }, { clock })
    await advanceUntil(clock, 50, () => promiseState(here.work)).toBe('resolved')
    // a call that is not answered takes 10 s
    expect(clock.monotonic()).toBeLessThan(15_000)
  })

  test('peers without number that do not exist do not keep out the one that has it', async () => {
    const there = await publish()
    const names = Array.from({ length: 1_000 }, (_, at) => `nobody-${at}`)
    const here = await startFetch(there.code, { alice: there.store }, { providers: () => [...names, 'alice'] })
    await here.work
    expect(here.store.has(there.code)).toBe(true)
  })
})
