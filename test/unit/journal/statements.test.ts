import { expect } from 'vitest'
import { addressBytes } from '../../../protocols/address.ts'
import { compareBytes } from '../../../protocols/encoding.ts'
import { decodeStatement, statementId, statementSubject } from '../../../protocols/statement.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'
import type { StatementRecord } from '../../../src/journal/index.ts'
import { attest, author, CODE, delegate, freeze, hubs, NOW, own, stranger } from '../trust/fixtures.ts'
import { it, open } from './fixtures.ts'

const [hub, second] = hubs
const NOW_MS = NOW * 1000
const YEAR_MS = (366 * 86_400 + 360) * 1000

function kept(encoded: Uint8Array, change: Partial<StatementRecord> = {}): StatementRecord {
  return { encoded, receivedAt: NOW_MS, via: 'gossip', own: false, recordPublishedAt: 0, ...change }
}

const subjectOf = (encoded: Uint8Array) => statementSubject(decodeStatement(encoded))

it('statements: are found by what they are about, by their name, and in order', ({ journal: { statements } }) => {
  const all = [attest(hub), attest(second), freeze(hub, '1'), delegate(own, stranger)]
  for (const one of all) expect(statements.put(kept(one))).toBe(true)
  expect(statements.count()).toBe(4)
  expect(statements.get(subjectOf(attest(hub)))).toEqual(kept(attest(hub)))
  expect(statements.byId(statementId(attest(hub)))).toEqual(kept(attest(hub)))
  expect(statements.attestationsOf(CODE.toString())).toHaveLength(2)
  expect(statements.freezesOf(addressBytes(author.address))).toEqual([kept(freeze(hub, '1'))])
  expect(statements.delegations()).toEqual([kept(delegate(own, stranger))])
  const ids = all.map(statementId).sort((a, b) => compareBytes(a.multihash.digest, b.multihash.digest))
  expect(statements.list(undefined, 9, NOW).map(({ encoded }) => statementId(encoded))).toEqual(ids)
  expect(statements.list(ids[1], 1, NOW).map(({ encoded }) => statementId(encoded))).toEqual([ids[2]])
  expect(statements.list(undefined, 9, NOW + 86_400)).toEqual([])
  expect(statements.newest(2)).toHaveLength(2)
  expect(statements.newest(9, addressBytes(second.address))).toEqual([kept(attest(second))])
  statements.remove(subjectOf(attest(hub)))
  expect(statements.get(subjectOf(attest(hub)))).toBeUndefined()
})

it('statements: are replaced by newer ones alone, also when the file is opened again', ({ path }) => {
  const newest = attest(hub, 'unsafe', { seq: 2 })
  {
    using journal = open(path)
    for (const one of [attest(hub), newest]) expect(journal.statements.put(kept(one))).toBe(true)
  }
  using journal = open(path)
  for (const one of [attest(hub), attest(hub, 'safe', { seq: 2 }), attest(hub, 'unsafe', { seq: 1 }), newest]) {
    expect(journal.statements.put(kept(one))).toBe(false)
  }
  expect(journal.statements.attestationsOf(CODE.toString())).toEqual([kept(newest)])
  expect(journal.statements.count()).toBe(1)
})

it("statements: become the operator's, and remember when they were put", ({ journal: { statements } }) => {
  statements.put(kept(attest(hub)))
  expect(statements.put(kept(attest(hub), { own: true }))).toBe(false)
  statements.setRecordPublished(subjectOf(attest(hub)), NOW_MS + 5)
  expect(statements.own()).toEqual([kept(attest(hub), { own: true, recordPublishedAt: NOW_MS + 5 })])
  // received from others it stays so
  statements.put(kept(attest(hub)))
  expect(statements.own()).toHaveLength(1)
})

it('statements: are forgotten when nothing older could be valid, and not before', ({ journal: { statements } }) => {
  statements.put(kept(attest(hub)))
  statements.put(kept(attest(second), { own: true }))
  expect(statements.prune(NOW_MS + YEAR_MS, 100)).toBe(0)
  expect(statements.prune(NOW_MS + YEAR_MS + 1, 100)).toBe(1)
  expect(statements.own()).toHaveLength(1)
})

it('statements: beyond a limit, those of the signer with the most go first', ({ journal: { statements } }) => {
  for (let index = 0; index < 50; index++) {
    statements.put(kept(delegate(own, signerOf(`journal ${index}`)), { receivedAt: NOW_MS + 100 + index }))
  }
  statements.put(kept(attest(hub), { receivedAt: NOW_MS }))
  statements.put(kept(attest(second), { receivedAt: NOW_MS, own: true }))
  expect(statements.prune(NOW_MS + 1000, 10)).toBe(42)
  expect(statements.attestationsOf(CODE.toString())).toHaveLength(2)
  const left = statements.delegations().map(({ receivedAt }) => receivedAt - NOW_MS - 100)
  expect(left.sort()).toEqual([42, 43, 44, 45, 46, 47, 48, 49])
})
