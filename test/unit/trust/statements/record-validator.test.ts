import { expect } from 'vitest'
import { addressBytes } from '../../../../protocols/address.ts'
import { cidOfStructure, compareBytes, toBase32 } from '../../../../protocols/encoding.ts'
import { ProtocolError } from '../../../../protocols/errors.ts'
import type { Signer } from '../../../../protocols/signature.ts'
import { decodeStatement, recordKey, statementId } from '../../../../protocols/statement.ts'
import type { StatementItem } from '../../../../protocols/streams/sync.ts'
import { attest, CODE, delegate, freeze, hubs, NOW, own, stranger, text } from '../fixtures.ts'
import { it, policyOf, world } from '../world.ts'

const [hub, second] = hubs
const keyOf = (encoded: Uint8Array) => recordKey(decodeStatement(encoded)) as string

it("the mesh's records: may hold any statement in time under its own key, by any signer", ({ trust }) => {
  const one = attest(stranger)
  expect(trust.recordValidator.validate(keyOf(one), one)).toMatchObject({ issued: NOW, expires: NOW + 86_400 })
  const link = delegate(stranger, hub)
  expect(trust.recordValidator.validate(keyOf(link), link)).toMatchObject({ issued: NOW })
  const signerOf = (value: Uint8Array) => trust.recordValidator.validate(keyOf(value), value).signer
  expect(new Set([attest(stranger), attest(hub), link].map(signerOf)).size).toBe(2)
})

it.each<[string, string, Uint8Array, string]>([
  ['under another hub', keyOf(attest(hub)), attest(stranger), 'key: is not the key of this statement'],
  ['under another code', keyOf(attest(hub)), attest(hub, 'safe', { code: cidOfStructure(Uint8Array.of(1)) }), 'key:'],
  ['a freeze statement', `/freeze/${toBase32(addressBytes(hub.address))}`, freeze(hub, '1'), 'key:'],
  ['expired', keyOf(attest(hub)), attest(hub, 'safe', { issued: NOW - 9, expires: NOW }), 'body.expires: has passed'],
  ['early', keyOf(attest(hub)), attest(hub, 'safe', { issued: NOW + 121 }), 'body.issued: lies in the future'],
  ['of another network', keyOf(attest(hub)), attest(hub, 'safe', { network: 'elsewhere' }), 'sig:'],
  ['of 5 KiB', keyOf(attest(hub)), new Uint8Array(5120), 'has 5120 bytes'],
])("the mesh's records: refuse a record %s", async (_name, key, value, problem) => {
  await using here = world()
  expect(() => here.trust.recordValidator.validate(key, value)).toThrow(ProtocolError)
  expect(() => here.trust.recordValidator.validate(key, value)).toThrow(problem)
})

it("the mesh's records: let a newer one take the place of an older one, never the other way round", ({ trust }) => {
  const { supersedes } = trust.recordValidator
  const [older, newer, junk] = [attest(hub), attest(hub, 'safe', { seq: 1 }), Uint8Array.of(1)]
  for (const one of [newer, attest(hub, 'unsafe')]) expect(supersedes(one, older)).toBe(true)
  expect(supersedes(older, junk)).toBe(true)
  for (const one of [older, junk, attest(second, 'safe', { seq: 9 })]) expect(supersedes(one, older)).toBe(false)
  expect(supersedes(older, newer)).toBe(false)
})

it("records are held on to where their signer counts here, or they are the operator's own", async ({ here, trust }) => {
  const { isPinned } = trust.recordValidator
  for (const one of [attest(hub), delegate(own, stranger)]) expect(isPinned(one)).toBe(true)
  for (const one of [attest(stranger), Uint8Array.of(1)]) expect(isPinned(one)).toBe(false)
  await trust.publish(attest(stranger))
  expect(isPinned(attest(stranger))).toBe(true)
  // what is remembered of hubs that no longer count is not held on to
  here.take(attest(second))
  here.policy = policyOf({})
  trust.policyChanged()
  expect(isPinned(attest(second))).toBe(false)
  expect(isPinned(attest(stranger))).toBe(true)
})

const item = (encoded: Uint8Array, by: Signer): StatementItem => [statementId(encoded), addressBytes(by.address)]

it('sync lists what counts here or is own, in time, in byte order, page by page', async ({ here, trust }) => {
  const kept = [attest(hub), attest(second), freeze(hub, '1'), delegate(own, stranger), attest(stranger)]
  const short = attest(hub, 'safe', { code: cidOfStructure(Uint8Array.of(1)), expires: NOW + 5 })
  here.take(...kept, short)
  await trust.publish(attest(stranger))
  await here.clock.advance(5000)
  const sorted = kept.map(statementId).sort((a, b) => compareBytes(a.multihash.digest, b.multihash.digest))
  const pages: string[] = []
  let after: ReturnType<typeof statementId> | undefined
  for (let page = trust.sync.list(after, 2); page.length > 0; page = trust.sync.list(after, 2)) {
    expect(page.length).toBeLessThanOrEqual(2)
    pages.push(...page.map(([id]) => id.toString()))
    after = page.at(-1)?.[0]
  }
  expect(pages).toEqual(sorted.map((id) => id.toString()))
  expect(trust.sync.get(statementId(attest(hub)))).toEqual(attest(hub))
  expect(trust.sync.get(statementId(short))).toBeUndefined()
  here.policy = policyOf({})
  expect(trust.sync.list(undefined, 9)).toHaveLength(2)
})

it('sync wants what would count and is not here, and not again what was of no use', async ({ here, trust }) => {
  const [a, b, c] = [attest(hub), attest(stranger), attest(hub, 'safe', { issued: NOW - 9, expires: NOW - 1 })]
  const items = [item(a, hub), item(b, stranger), item(c, hub), item(delegate(own, hub), own)]
  const wanted = [a, c, delegate(own, hub)]
  expect(trust.sync.wants(items).map(String)).toEqual(wanted.map((one) => statementId(one).toString()))
  for (const one of wanted) await trust.sync.arrive(one, 'p')
  expect(trust.sync.wants(items)).toEqual([])
  await expect(trust.sync.arrive(Uint8Array.of(7), 'p')).rejects.toThrow(ProtocolError)
  here.policy = policyOf({ TRUSTED_HUBS: { [text(stranger)]: {} } })
  trust.policyChanged()
  expect(trust.sync.wants([item(b, stranger)]).map(String)).toEqual([statementId(b).toString()])
})

it('a code has one key', () => {
  expect(keyOf(attest(hub))).toBe(`/attest/${toBase32(CODE.bytes)}/${toBase32(addressBytes(hub.address))}`)
})
