import { expect, test } from 'vitest'
import { addressBytes } from '../../../protocols/address.ts'
import { messageId, servicesTopic } from '../../../protocols/announcement.ts'
import { cidOfStructure, compareBytes } from '../../../protocols/encoding.ts'
import { MembersError, ProtocolError } from '../../../protocols/errors.ts'
import { MAX_REQUEST_BYTES, MAX_SYNC_STATEMENTS } from '../../../protocols/limits.ts'
import { statementId, statementsTopic } from '../../../protocols/statement.ts'
import { encodeSyncAnswer, encodeSyncRequest, type StatementItem } from '../../../protocols/sync.ts'
import { blsSignerOf, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import type {
  IncomingMessage,
  NetworkInit,
  StatementSource,
  SyncSource,
  ValidationResult,
} from '../../../src/network/index.ts'
import { connect, type Made, networks, until } from './make.ts'
import { textSource } from './source.ts'

const all = networks()

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array) => new TextDecoder().decode(value)
const HUB = addressBytes(signerOf('hub').address)

/** What trust is to the network, with texts for statements: "bad..." is a forgery, "some..." of members unknown here. */
function shelf(kept: string[] = []) {
  const have = new Map<string, Uint8Array>()
  const came: string[] = []
  const add = (one: string) => have.set(statementId(bytes(one)).toString(), bytes(one))
  for (const one of kept) add(one)
  const sync: StatementSource = {
    list: (after, max) =>
      [...have.values()]
        .map((one): StatementItem => [statementId(one), HUB])
        .sort(([a], [b]) => compareBytes(a.bytes, b.bytes))
        .filter(([id]) => after === undefined || compareBytes(id.bytes, after.bytes) > 0)
        .slice(0, max),
    get: (id) => have.get(id.toString()),
    wants: (items) => items.map(([id]) => id).filter((id) => !have.has(id.toString())),
    async arrive(encoded) {
      const one = text(encoded)
      if (one.startsWith('bad')) throw new ProtocolError('sig', 'is forged')
      if (one.startsWith('some')) throw new MembersError('signers', 'are not known here')
      came.push(one)
      add(one)
    },
  }
  return { sync, came, have: () => [...have.values()].map(text).sort() }
}

async function node(kept: string[] = [], answer: ValidationResult = 'accept', init: { role?: 'client' } = {}) {
  const arrivals: IncomingMessage[] = []
  const statements = shelf(kept)
  const validator = async (arrival: IncomingMessage) => {
    arrivals.push(arrival)
    return answer
  }
  const made = await all.make(init, { statements: { validator, sync: statements.sync } })
  return { ...made, statements, heard: arrivals, rounds: roundsOf(made) }
}

function roundsOf({ events }: Made) {
  const rounds: NetworkEvents['network:synced'][] = []
  events.on('network:synced', (round) => rounds.push(round))
  return rounds
}

/** A node with services and statements to sync, whose validator passes none of them on. */
const both = (services: SyncSource, sync: StatementSource, init: Partial<NetworkInit> = {}) =>
  all.make(init, { sync: services, statements: { validator: async () => 'ignore', sync } })

const score = (at: Made, of: Made) => at.network.peers().find(({ peerId }) => peerId === of.network.peerId)?.score ?? 0

test('each topic has its validator, and the same bytes on both are two messages', async () => {
  const [a, b] = [await node(), await node()]
  const seen: NetworkEvents['network:gossip-arrived'][] = []
  b.events.on('network:gossip-arrived', (arrival) => seen.push(arrival))
  await connect(a, b)
  expect(await a.network.statements.publish(bytes('x'))).toBe('published')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('published')
  expect(await a.network.gossip.publish(bytes('x'))).toBe('seen')
  await until(() => seen.length === 2, 'b hears both')
  expect(b.heard.map(({ messageId }) => messageId)).toEqual([messageId(statementsTopic('test'), bytes('x'))])
  expect(b.arrivals.map(({ messageId }) => messageId)).toEqual([messageId(servicesTopic('test'), bytes('x'))])
  expect(seen.map(({ topic }) => topic).sort()).toEqual(['services', 'statements'])
  expect(b.network.statements.listeners()).toEqual([a.network.peerId])
})

test.each(['accept', 'ignore', 'reject'] as const)('a statement that the validator answers with %s', async (answer) => {
  const [a, b, c] = [await node(), await node([], answer), await node()]
  for (const end of [a, c]) await connect(end, b)
  for (const [at, count] of [
    [b, 2],
    [c, 1],
  ] as const) {
    await until(() => at.network.statements.listeners().length === count, 'subscriptions')
  }
  await a.network.statements.publish(bytes('x'))
  await until(() => b.heard.length === 1, 'b hears')
  await b.network.statements.publish(bytes('y'))
  await until(() => c.heard.some(({ data }) => text(data) === 'y'), 'c hears y')
  expect(c.heard.some(({ data }) => text(data) === 'x')).toBe(answer === 'accept')
  if (answer === 'reject') await until(() => score(b, a) < 0, 'the sender pays')
})

test('who has no use for statements does not hear them, and can publish them', async () => {
  const [bare, hub] = [await all.make(), await node()]
  const light = await all.make({ role: 'client', listen: [] })
  for (const end of [bare, light]) await connect(end, hub)
  expect(await bare.network.statements.publish(bytes('x'))).toBe('published')
  expect(await light.network.statements.publish(bytes('y'))).toBe('published')
  await until(() => hub.heard.length === 2, 'the hub hears')
  expect(hub.network.statements.listeners()).toEqual([])
  expect(hub.network.gossip.listeners()).toEqual([bare.network.peerId])
})

test('a statement that is too long is rejected without asking the validator', async () => {
  const [a, b] = [await node(), await node()]
  await connect(a, b)
  await a.network.statements.publish(new Uint8Array(5 * 1024))
  await until(() => score(b, a) < 0, 'the sender pays')
  expect(b.heard).toEqual([])
})

test('neighbours that meet bring one another what they lack, with no service between them', async () => {
  const many = Array.from({ length: MAX_SYNC_STATEMENTS + 100 }, (_, at) => `s${at}`)
  const [a, b] = [await node(many), await node(['other', 's1'])]
  await connect(a, b)
  await until(() => a.statements.have().length === many.length + 1, 'a has all')
  await until(() => b.statements.have().length === many.length + 1, 'b has all')
  expect(a.statements.came).toEqual(['other'])
  await until(() => b.rounds.length > 0 && a.rounds.length > 0, 'rounds end')
  const ofServices = { peer: a.network.peerId, listed: 0, pulled: 0 }
  expect(b.rounds[0]).toEqual({ ...ofServices, statementsListed: many.length, statementsPulled: many.length - 1 })
})

test('a page of the longest statements fits a message', () => {
  const bls = addressBytes(blsSignerOf('hub').address)
  const id = cidOfStructure(bytes('x'))
  const items = Array.from({ length: MAX_SYNC_STATEMENTS }, (): StatementItem => [id, bls])
  expect(encodeSyncAnswer({ is: 'statements', items, more: true }).byteLength).toBeLessThan(MAX_REQUEST_BYTES)
  const ids = Array.from({ length: MAX_SYNC_STATEMENTS }, () => id)
  expect(encodeSyncRequest({ v: 1, want: 'pull-statements', ids }).byteLength).toBeLessThan(MAX_REQUEST_BYTES)
})

test('a forged statement costs its sender, one of members that are unknown here does not', async () => {
  const [liar, honest, b] = [await node(['bad']), await node(['some', 't']), await node()]
  await connect(b, honest)
  await until(() => b.rounds.length === 1, 'the first round')
  expect(b.statements.came).toEqual(['t'])
  await connect(b, liar)
  await until(() => score(b, liar) < 0, 'the liar pays')
  expect(score(b, honest)).toBeGreaterThanOrEqual(0)
})

test('a peer that hands out another statement than was asked for pays', async () => {
  const swapped = shelf(['a'])
  const [liar, b] = [await both(textSource().source, { ...swapped.sync, get: () => bytes('b') }), await node()]
  await connect(b, liar)
  await until(() => score(b, liar) < 0, 'the liar pays')
  expect(b.statements.came).toEqual([])
})

test('a peer that does not answer statements does not break the round of services, and the other way round', async () => {
  const broken = () => {
    throw new Error('broken')
  }
  const texts = textSource(['service'])
  const kept = shelf(['kept'])
  const noStatements = await both(texts.source, { ...kept.sync, list: broken })
  const noServices = await both({ ...texts.source, list: broken }, kept.sync)
  for (const [other, came, round] of [
    [noStatements, [['service'], []], { statementsListed: 0, statementsPulled: 0, pulled: 1 }],
    [noServices, [[], ['kept']], { pulled: 0, statementsPulled: 1 }],
  ] as const) {
    const [services, statements] = [textSource(), shelf()]
    const b = await both(services.source, statements.sync)
    const rounds = roundsOf(b)
    await connect(b, other)
    await until(() => rounds.length > 0, 'the round ends')
    expect([services.texts(), statements.have()]).toEqual(came)
    expect(score(b, other)).toBeGreaterThanOrEqual(0)
    expect(rounds[0]).toMatchObject(round)
  }
})

test('one peer pulls no more than its share of statements in a minute, and what it pulled of services is apart', async () => {
  const names = Array.from({ length: 300 }, (_, at) => `s${at}`)
  const services = textSource(Array.from({ length: 99 }, (_, at) => `v${at}`))
  const a = await both(services.source, shelf(names).sync, { syncPullsPerPeerPerMinute: 100 })
  const [texts, statements] = [textSource(), shelf()]
  const b = await both(texts.source, statements.sync)
  const refused = Promise.withResolvers<string>()
  a.events.on('network:refused', ({ reason }) => refused.resolve(reason))
  await connect(b, a)
  expect(await refused.promise).toBe('too many pulls of statements')
  await until(() => statements.have().length >= 100 && texts.texts().length === 99, 'the shares came')
  expect(statements.have().length).toBeLessThan(110)
})
