import { expect, test } from 'vitest'
import { addressBytes } from '../../../protocols/address.ts'
import { MAX_REQUEST_BYTES, MAX_SYNC_STATEMENTS } from '../../../protocols/limits.ts'
import {
  decodeSyncAnswer,
  encodeSyncAnswer,
  encodeSyncRequest,
  type StatementItem,
  SYNC_PROTOCOL,
} from '../../../protocols/streams/sync.ts'
import { blsSignerOf } from '../../../scripts/vectors/kit/kit.ts'
import { once } from '../../../src/base/events.ts'
import { SYNC_PAGES } from '../../../src/network/constants.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import type { NetworkInit } from '../../../src/network/index.ts'
import { connect, createNetworks, scoreOf, type TestNetwork, until } from './fixtures.ts'
import { bytesOf, idOf, statementSource, type Texts, textOf, textSource } from './sync-sources.ts'

const all = createNetworks()

/** Two neighbours; the second joins the first. */
async function meet(first: Texts | undefined, second?: Texts, init: Partial<NetworkInit> = {}) {
  const [a, b] = [await all.make(init, { sync: first?.source }), await all.make({}, { sync: second?.source })]
  await connect(b, a)
  return [a, b] as const
}

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

test('a neighbour that is soon back is asked too, a little later', async () => {
  const [left, right] = [textSource(['a']), textSource()]
  const [a, b] = await meet(left, right)
  await until(() => right.came.length === 1, 'the first round')
  await b.network.hangUp(a.network.peerId)
  left.add('while it was away')
  await connect(b, a)
  await until(() => right.texts().includes('while it was away'), 'what it missed')
})

test('an offer reaches all neighbours, which pull what they lack', async () => {
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
  await a.network.sync.tell(b.network.peerId, bytesOf('stop'))
  expect(right.came.at(-1)).toEqual({ text: 'stop', from: a.network.peerId, via: 'tell' })
})

test('a peer that hands out forgeries pays, and is asked no further', async () => {
  const [dishonest, honest] = [textSource(['bad', 'good']), textSource()]
  const [a, b] = await meet(dishonest, honest)
  await until(() => scoreOf(b, a) < 0, 'the dishonest peer pays')
  await expect(a.network.sync.tell(b.network.peerId, bytesOf('bad too'))).rejects.toThrow('forged')
})

test('nonsense instead of a request is answered with an error', async () => {
  const [a, b] = await meet(textSource())
  await using stream = await b.network.streams.open(a.network.peerId, '/thundercloud/sync/1')
  await stream.write(Uint8Array.of(1, 2, 3))
  await stream.end()
  expect(textOf((await stream.read()) ?? new Uint8Array())).toContain('error')
  // gossipsub computes scores once a second
  await until(() => scoreOf(a, b) < 0, 'the peer pays')
})

type Kept = ReturnType<typeof statementSource>

function roundsOf({ events }: TestNetwork) {
  const rounds: NetworkEvents['network:synced'][] = []
  events.on('network:synced', (round) => rounds.push(round))
  return rounds
}

/** A node with services and statements to sync, whose validator passes none of them on. */
const both = (services: Texts['source'], sync: Kept['source'], init: Partial<NetworkInit> = {}) =>
  all.make(init, { sync: services, statements: { validator: async () => 'ignore', sync } })

/** A node with statements to sync, and none but these. */
async function statementNode(kept: readonly string[] = []) {
  const statements = statementSource(kept)
  const validator = async () => 'accept' as const
  const made = await all.make({}, { statements: { validator, sync: statements.source } })
  return { ...made, statements, rounds: roundsOf(made) }
}

test('neighbours that meet bring one another what they lack, with no service between them', async () => {
  const many = names(MAX_SYNC_STATEMENTS + 100, 's')
  const [a, b] = [await statementNode(many), await statementNode(['other', 's1'])]
  await connect(a, b)
  await until(() => a.statements.texts().length === many.length + 1, 'a has all')
  await until(() => b.statements.texts().length === many.length + 1, 'b has all')
  expect(a.statements.came).toMatchObject([{ text: 'other' }])
  await until(() => b.rounds.length > 0 && a.rounds.length > 0, 'rounds end')
  const ofServices = { peer: a.network.peerId, listed: 0, pulled: 0 }
  expect(b.rounds[0]).toEqual({ ...ofServices, statementsListed: many.length, statementsPulled: many.length - 1 })
})

test('a page of the longest statements fits a message', () => {
  const bls = addressBytes(blsSignerOf('hub').address)
  const id = idOf('x')
  const items = Array.from({ length: MAX_SYNC_STATEMENTS }, (): StatementItem => [id, bls])
  expect(encodeSyncAnswer({ is: 'statements', items, more: true }).byteLength).toBeLessThan(MAX_REQUEST_BYTES)
  const ids = Array.from({ length: MAX_SYNC_STATEMENTS }, () => id)
  expect(encodeSyncRequest({ v: 1, want: 'pull-statements', ids }).byteLength).toBeLessThan(MAX_REQUEST_BYTES)
})

test('a forged statement costs its sender, one of members that are unknown here does not', async () => {
  const [dishonest, honest, b] = [
    await statementNode(['bad']),
    await statementNode(['some', 't']),
    await statementNode(),
  ]
  await connect(b, honest)
  await until(() => b.rounds.length === 1, 'the first round')
  expect(b.statements.came).toMatchObject([{ text: 't' }])
  await connect(b, dishonest)
  await until(() => scoreOf(b, dishonest) < 0, 'the dishonest peer pays')
  expect(scoreOf(b, honest)).toBeGreaterThanOrEqual(0)
})

test('a peer that hands out another statement than was asked for pays', async () => {
  const swapped = statementSource(['a'])
  const [dishonest, b] = [
    await both(textSource().source, { ...swapped.source, get: () => bytesOf('b') }),
    await statementNode(),
  ]
  await connect(b, dishonest)
  await until(() => scoreOf(b, dishonest) < 0, 'the dishonest peer pays')
  expect(b.statements.came).toEqual([])
})

test('a peer that does not answer statements does not break the round of services, and the other way round', async () => {
  const broken = () => {
    throw new Error('broken')
  }
  const texts = textSource(['service'])
  const kept = statementSource(['kept'])
  const noStatements = await both(texts.source, { ...kept.source, list: broken })
  const noServices = await both({ ...texts.source, list: broken }, kept.source)
  for (const [other, came, round] of [
    [noStatements, [['service'], []], { statementsListed: 0, statementsPulled: 0, pulled: 1 }],
    [noServices, [[], ['kept']], { pulled: 0, statementsPulled: 1 }],
  ] as const) {
    const [services, statements] = [textSource(), statementSource()]
    const b = await both(services.source, statements.source)
    const rounds = roundsOf(b)
    await connect(b, other)
    await until(() => rounds.length > 0, 'the round ends')
    expect([services.texts(), statements.texts()]).toEqual(came)
    expect(scoreOf(b, other)).toBeGreaterThanOrEqual(0)
    expect(rounds[0]).toMatchObject(round)
  }
})

test('one peer pulls no more than its share of statements in a minute, and what it pulled of services is apart', async () => {
  const services = textSource(names(99, 'v'))
  const a = await both(services.source, statementSource(names(300, 's')).source, { syncPullsPerPeerPerMinute: 100 })
  const [texts, statements] = [textSource(), statementSource()]
  const b = await both(texts.source, statements.source)
  const refused = Promise.withResolvers<string>()
  a.events.on('network:refused', ({ reason }) => refused.resolve(reason))
  await connect(b, a)
  expect(await refused.promise).toBe('too many pulls of statements')
  await until(() => statements.texts().length >= 100 && texts.texts().length === 99, 'the shares came')
  expect(statements.texts().length).toBeLessThan(110)
})
