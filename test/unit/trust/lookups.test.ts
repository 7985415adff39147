import { expect } from 'vitest'
import { addressBytes } from '../../../protocols/address.ts'
import { toBase32 } from '../../../protocols/encoding.ts'
import { decodeStatement, recordKey } from '../../../protocols/statement.ts'
import { sleep } from '../../../src/base/clock.ts'
import { attest, author, CODE, delegate, hubs, NOW, own, stranger, subject, text } from './fixtures.ts'
import { it, policyOf, type World, world } from './world.ts'

const [one, two] = hubs
const keyOf = (encoded: Uint8Array) => recordKey(decodeStatement(encoded)) as string
const attestKey = (hub: typeof one) => `/attest/${toBase32(CODE.bytes)}/${toBase32(addressBytes(hub.address))}`
const about = { code: CODE, author: addressBytes(author.address) }

function lay(here: World, ...statements: Uint8Array[]): void {
  for (const one of statements) here.records.set(keyOf(one), [...(here.records.get(keyOf(one)) ?? []), one])
}

it('a lookup: asks for the word of each trusted hub, and for delegations to the author', async ({ here, trust }) => {
  lay(here, attest(one), attest(two), attest(stranger), delegate(own, author))
  await trust.lookUp(about)
  expect(new Set(here.asked)).toEqual(new Set([...hubs.map(attestKey), keyOf(delegate(own, author))]))
  expect(here.facts()).toMatchObject({ quorum: { hubs: 2, met: true }, inTree: true })
  expect(here.reported('trust:looked-up')).toEqual([{ about: CODE.toString(), found: 3, failed: 0, tookMs: 0 }])
  expect(trust.statements().map(({ via }) => via)).toEqual(['record', 'record', 'record'])
})

it('a lookup: finds a revocation that was missed, in a record with stale and junk values', async ({ here, trust }) => {
  const staple = attest(one)
  lay(here, staple)
  here.records.get(attestKey(one))?.push(Uint8Array.of(9), attest(one, 'unsafe', { seq: 1 }), attest(stranger))
  await trust.lookUp(about)
  expect(trust.factsOf(subject([staple])).quorum).toEqual({ hubs: 0, weight: 0, met: false })
})

it('a lookup: is done once in five minutes, and sooner where it failed or is asked for', async () => {
  await using here = world(policyOf({ TRUSTED_HUBS: { [text(one)]: {} } }))
  const look = async () => (await here.trust.lookUp({ code: CODE })).complete
  expect([await look(), await look()]).toEqual([true, true])
  expect(here.asked).toHaveLength(1)
  await here.trust.lookUp({ code: CODE }, { fresh: true })
  expect(here.asked).toHaveLength(2)
  await here.clock.advance(300_000)
  here.alone = true
  expect([await look(), await look()]).toEqual([false, false])
  expect(here.asked).toHaveLength(3)
  here.alone = false
  await here.clock.advance(15_000)
  expect(await look()).toBe(true)
  expect(here.asked).toHaveLength(4)
  expect(here.reported('trust:looked-up').map(({ failed }) => failed)).toEqual([0, 0, 1, 0])
})

it('a lookup: of the newest link asks again for each that the author depends on', async ({ here, trust }) => {
  here.take(delegate(own, one, 3), delegate(one, author, 1))
  lay(here, delegate(own, one, 0, { seq: 1, revoked: true }))
  await trust.lookUp({ author: about.author })
  expect(here.facts().inTree).toBe(false)
})

it('a lookup: follows a link that it found to the one that hangs on it', async ({ here, trust }) => {
  here.take(delegate(own, two, 3))
  lay(here, delegate(two, stranger, 1), delegate(stranger, author))
  // the first brings nobody closer to the author: nobody knows of the stranger yet
  await trust.lookUp({ author: about.author })
  expect(here.facts().inTree).toBe(false)
  await trust.lookUp({ author: addressBytes(stranger.address) })
  await trust.lookUp({ author: about.author })
  expect(here.facts().inTree).toBe(true)
})

it('a lookup: ends in three seconds whatever the mesh does, and a caller can abort before', async () => {
  const find = async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => {})
  }
  await using here = world(undefined, { records: { find, put: async () => 1 } })
  const controller = new AbortController()
  const impatient = here.trust.lookUp(about, { signal: controller.signal })
  const patient = here.trust.lookUp(about)
  controller.abort(new Error('enough'))
  await expect(impatient).rejects.toThrow('enough')
  let done = false
  void patient.then(() => (done = true))
  await here.clock.advance(2999)
  expect(done).toBe(false)
  await here.clock.advance(1)
  expect(await patient).toEqual({ complete: false })
  expect(here.reported('trust:looked-up')).toEqual([{ about: CODE.toString(), found: 0, failed: 4, tookMs: 3000 }])
  expect(here.facts().quorum).toBeNull()
})

it('a lookup: asks for a bounded number at once', async () => {
  let now = 0
  let most = 0
  const clockOf: { world?: World } = {}
  const records = {
    async *find() {
      most = Math.max(most, ++now)
      await sleep((clockOf.world as World).clock, 10)
      now--
      yield* [] as Uint8Array[]
    },
    put: async () => 1,
  }
  const TRUSTED_HUBS = Object.fromEntries([...hubs, stranger, author, own].map((hub) => [text(hub), {}]))
  const ROOTS = Object.fromEntries([...hubs, stranger].map((root) => [text(root), { DEPTH: 3 }]))
  await using here = world(policyOf({ TRUSTED_HUBS, TRUST_TREE: { ROOTS } }), { records })
  clockOf.world = here
  const done = here.trust.lookUp(about)
  await here.clock.advance(100)
  await done
  expect(most).toBe(8)
})

const servicesInUse = [{ service: 's', code: CODE.toString(), author: text(author) }]

it('what runs and is parked is looked up at the start, and again every ten minutes', async ({ here, trust }) => {
  here.servicesInUse = servicesInUse
  lay(here, attest(one, 'unsafe', { expires: NOW + 30 * 86_400 }))
  trust.boot()
  await here.clock.advance(0)
  expect(here.facts().quorum?.met).toBe(false)
  const asked = here.asked.length
  await here.clock.advance(11 * 60_000)
  expect(here.asked.length).toBe(2 * asked)
})

it('the regular work: looks for a renewal before what is in use ends', async () => {
  await using here = world(policyOf({ TRUSTED_HUBS: { [text(one)]: {} } }))
  here.take(attest(one, 'safe', { expires: NOW + 400 }))
  here.servicesInUse = servicesInUse
  here.trust.boot()
  await here.clock.advance(0)
  lay(here, attest(one, 'safe', { seq: 1, expires: NOW + 9000 }))
  await here.clock.advance(399_000)
  expect(here.facts().attestations[0]?.expires).toBe(NOW + 9000)
})

it('the regular work: puts what it relies on into the records again before they forget it', async ({ here, trust }) => {
  here.servicesInUse = servicesInUse
  const ten = { expires: NOW + 10 * 86_400 }
  // the last one is not in use
  here.take(attest(one, 'safe', ten), delegate(own, author, 0, ten), delegate(own, stranger, 0, ten))
  trust.boot()
  await here.clock.advance(60_000)
  const keys = [attestKey(one), keyOf(delegate(own, author))]
  expect(new Set(here.put.map(({ key }) => key))).toEqual(new Set(keys))
  expect(here.put).toHaveLength(2)
  expect(here.published).toEqual([])
  await here.clock.advance(48 * 3600_000)
  expect(here.put.length).toBeGreaterThanOrEqual(6)
  expect(here.put.length).toBeLessThanOrEqual(8)
})
