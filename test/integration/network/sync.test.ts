import { expect, test } from 'vitest'
import { decodeSyncAnswer, encodeSyncRequest, SYNC_PROTOCOL } from '../../../protocols/sync.ts'
import { once } from '../../../src/base/events.ts'
import { SYNC_PAGES } from '../../../src/network/constants.ts'
import type { NetworkInit } from '../../../src/network/index.ts'
import { connect, networks, until } from './make.ts'
import { idOf, textSource } from './source.ts'

const all = networks()

/** Two neighbours; the second joins the first. */
async function meet(first: Texts | undefined, second?: Texts, init: Partial<NetworkInit> = {}) {
  const [a, b] = [await all.make(init, { sync: first?.source }), await all.make({}, { sync: second?.source })]
  await connect(b, a)
  return [a, b] as const
}

type Texts = ReturnType<typeof textSource>

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}${index}`).sort()

test('neighbours that meet learn from one another, in both directions', async () => {
  const [left, right] = [textSource(['a', 'b']), textSource(['b', 'c'])]
  const [, b] = await meet(left, right)
  await until(() => left.texts().length === 3 && right.texts().length === 3, 'both have all')
  expect(left.came).toEqual([{ text: 'c', from: b.network.peerId, via: 'sync' }])
})

test('a late joiner learns many pages of services', async () => {
  const [old, late] = [textSource(names(2500, 's')), textSource()]
  await meet(old, late, { syncPullsPerPeerPerMinute: 10_000 })
  await until(() => late.texts().length === 2500, 'the late joiner has all')
  expect(late.texts()).toEqual(old.texts())
})

test('one peer pulls no more than its share in a minute', async () => {
  const [old, greedy] = [textSource(names(300, 's')), textSource()]
  const a = await all.make({ syncPullsPerPeerPerMinute: 100 }, { sync: old.source })
  const b = await all.make({}, { sync: greedy.source })
  const refused = Promise.withResolvers<string>()
  a.events.on('network:refused', ({ reason }) => refused.resolve(reason))
  await connect(b, a)
  expect(await refused.promise).toBe('too many pulls')
  await until(() => greedy.texts().length >= 100, 'the share came')
  expect(greedy.texts().length).toBeLessThan(110)
})

test('one peer is shown so many pages, and no more', async () => {
  const [a, b] = await meet(textSource(['a']))
  const request = encodeSyncRequest({ v: 1, want: 'list' })
  const startedAt = performance.now()
  const answers: string[] = []
  while (answers.at(-1) !== 'too many pages') {
    await using stream = await b.network.streams.open(a.network.peerId, SYNC_PROTOCOL)
    await stream.write(request)
    const answer = decodeSyncAnswer((await stream.read()) ?? new Uint8Array())
    answers.push(answer.is === 'error' ? answer.message : answer.is)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const pages = answers.filter((is) => is === 'items').length
  expect(pages).toBe(answers.length - 1)
  expect(pages).toBeGreaterThanOrEqual(SYNC_PAGES.burst)
  expect(pages).toBeLessThanOrEqual(SYNC_PAGES.burst + SYNC_PAGES.perSecond * seconds + 1)
})

test('rounds go on by themselves', async () => {
  const [left, right] = [textSource(), textSource()]
  const a = await all.make({}, { sync: left.source })
  const b = await all.make({ syncEveryMs: 300 }, { sync: right.source })
  const synced = once(b.events, 'network:synced')
  await connect(a, b)
  await synced
  left.add('later')
  await until(() => right.texts().includes('later'), 'what came later')
})

test('an offer reaches all neighbours, who pull what they lack', async () => {
  const hub = textSource()
  const a = await all.make({}, { sync: hub.source })
  const others = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const texts = textSource()
      const made = await all.make({}, { sync: texts.source })
      const synced = once(made.events, 'network:synced')
      await connect(made, a)
      await synced
      return texts
    }),
  )
  for (const text of names(50, 'o')) {
    hub.add(text)
    // one by one, as verdicts fall: they travel together
    void a.network.sync.offer([[idOf(text), 0]])
  }
  await until(() => others.every(({ came }) => came.length === 50), 'all have pulled')
})

test('pullFrom brings what was asked for, tell what was not', async () => {
  const [left, right] = [textSource(['x', 'y', 'z']), textSource()]
  const [a, b] = await meet(left, right)
  await until(() => right.came.length === 3, 'the first round')
  left.add('late')
  expect(await b.network.sync.pullFrom(a.network.peerId, [idOf('late'), idOf('nowhere')])).toBe(1)
  await a.network.sync.tell(b.network.peerId, new TextEncoder().encode('stop'))
  expect(right.came.at(-1)).toEqual({ text: 'stop', from: a.network.peerId, via: 'tell' })
})

test('a peer that hands out forgeries pays, and is heard no further', async () => {
  const [liar, honest] = [textSource(['bad', 'good']), textSource()]
  const [a, b] = await meet(liar, honest)
  await until(() => (b.network.peers()[0]?.score ?? 0) < 0, 'the liar pays')
  await expect(a.network.sync.tell(b.network.peerId, new TextEncoder().encode('bad too'))).rejects.toThrow('forged')
})

test('nonsense instead of a request is answered with an error', async () => {
  const [a, b] = await meet(textSource())
  await using stream = await b.network.streams.open(a.network.peerId, '/thundercloud/sync/1')
  await stream.write(Uint8Array.of(1, 2, 3))
  await stream.end()
  expect(new TextDecoder().decode(await stream.read())).toContain('error')
  // gossipsub computes scores once a second
  await until(() => (a.network.peers()[0]?.score ?? 0) < 0, 'the peer pays')
})
