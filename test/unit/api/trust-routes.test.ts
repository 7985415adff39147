import fc from 'fast-check'
import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { MAX_STATEMENT_BYTES } from '../../../protocols/limits.ts'
import { statementId } from '../../../protocols/statement.ts'
import { newSigner } from '../../fixtures/node/fake-node.ts'
import { forAllAsync } from '../../fixtures/property.ts'
import { attestationBy, delegationBy, SOME_CODE } from '../../fixtures/trust/statements.ts'
import { test as base, expectAnswer, nextText, TOKEN } from './harness.ts'

const CBOR = { 'content-type': 'application/cbor' }

/** An API that trusts a hub. */
const test = base.extend('hub', ({ it }) => {
  const hub = newSigner()
  it.node.trust.trustedHubs.add(formatAddress(hub.address))
  const post = (body: string | Uint8Array, token: string | null = null, headers: Record<string, string> = CBOR) =>
    it.ask('/statement', { method: 'POST', token, headers, body })
  return { ...it, hub, post }
})

test.for(['application/cbor', 'application/vnd.ipld.dag-cbor', 'Application/CBOR; x=1'])(
  'POST /statement: takes one from anyone as %s, and says what became of it',
  async (type, { hub: it }) => {
    const bytes = attestationBy(it.hub, it)
    const id = statementId(bytes).toString()
    await expectAnswer(it.post(bytes, null, { 'content-type': type }), 200, { id, outcome: 'new' })
    expect(await (await it.post(bytes)).json()).toEqual({ id, outcome: 'known' })
    expect(await (await it.post(attestationBy(it.hub, it, { seq: 0 }))).json()).toMatchObject({ outcome: 'older' })
    expect(await (await it.post(attestationBy(newSigner(), it))).json()).toMatchObject({ outcome: 'untrusted' })
    expect(it.node.trust.published).toEqual([])
  },
)

test('with the token it is published, whoever signed it; a wrong token is refused', async ({ hub: it }) => {
  const bytes = attestationBy(newSigner(), it)
  expect((await it.post(bytes, 'wrong')).status).toBe(401)
  expect(it.node.statements()).toEqual([])
  expect(await (await it.post(bytes, TOKEN)).json()).toMatchObject({ outcome: 'new' })
  expect(it.node.trust.published).toEqual([Buffer.from(bytes)])
  const older = await it.post(attestationBy(it.hub, it, { seq: 2 }), TOKEN)
  expect(older.status).toBe(200)
  await expectAnswer(it.post(attestationBy(it.hub, it, { seq: 1 }), TOKEN), 400, {
    detail: expect.stringContaining('older'),
  })
})

test.for<[string, Record<string, string>, string | Uint8Array, number, RegExp]>([
  ['no type', {}, 'x', 415, /Content-Type/],
  ['JSON', { 'content-type': 'application/json' }, '{}', 415, /"application\/json"; allowed are application\/cbor/],
  ['nothing', CBOR, '', 400, /./],
  ['no cbor', CBOR, 'hello', 400, /./],
  ['5 KiB', CBOR, new Uint8Array(5 * 1024), 413, /4 KiB/],
  ['a byte too many', CBOR, new Uint8Array(MAX_STATEMENT_BYTES + 1), 413, /4 KiB/],
])('POST /statement: refuses %s', async ([_what, headers, body, status, sentence], { hub: it }) => {
  const response = await it.post(body, null, headers)
  const { detail: error } = (await response.json()) as { detail: string }
  expect([response.status, error]).toEqual([status, expect.stringMatching(sentence)])
  expect(error).not.toContain('\n')
})

test('POST /statement: refuses what was signed for another network, and what is expired', async ({ hub: it }) => {
  await expectAnswer(it.post(attestationBy(it.hub, { ...it, network: 'other' })), 400, {
    detail: expect.stringContaining('signature'),
  })
  expect((await it.post(attestationBy(it.hub, it, { issued: 1, expires: 2 }))).status).toBe(400)
  expect(it.node.statements()).toEqual([])
})

test('whatever is done to the bytes, it is a 4xx with one sentence, and nothing is kept', async ({ hub: it }) => {
  const bytes = Buffer.from(attestationBy(it.hub, it))
  const damage = fc.oneof(
    fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] as number) ^ by
      return copy
    }),
    fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((more) => Buffer.concat([bytes, more])),
    fc.uint8Array({ maxLength: 600 }),
  )
  await forAllAsync(500, [damage], async (body) => {
    const response = await it.post(body)
    expect(response.status).toBe(400)
    const { detail: error } = (await response.json()) as { detail: string }
    expect(error).toMatch(/^\P{Cc}{3,700}$/u)
    expect(it.node.statements()).toEqual([])
  })
})

test('POST /statement: one too many is 429 and says when to come back', async ({ hub: it }) => {
  it.node.trust.full = true
  const response = await it.post(attestationBy(it.hub, it))
  expect(response.status).toBe(429)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('GET /statements and /trust: filters, and asks the mesh only where it is asked to', async ({ hub: it }) => {
  const hub = formatAddress(it.hub.address)
  it.node.trust.records.push(attestationBy(it.hub, it))
  const get = async (query: string) => {
    const response = await it.ask(`/statements${query}`)
    return { status: response.status, ...((await response.json()) as { statements?: object[]; error?: string }) }
  }
  expect(await get('')).toEqual({ status: 200, statements: [] })
  expect(await get(`?code=${SOME_CODE}`)).toMatchObject({ statements: [] })
  const found = [{ kind: 'attestation', signer: hub, trusted: true, code: SOME_CODE.toString(), verdict: 'safe' }]
  expect(await get(`?code=${SOME_CODE}&lookup=1`)).toMatchObject({ statements: found })
  expect(await get(`?signer=${hub}`)).toMatchObject({ statements: found })
  expect(await get(`?signer=${it.node.address}`)).toMatchObject({ statements: [] })
  expect(await get('?lookup=1')).toMatchObject({ status: 400, detail: expect.stringContaining('name one') })
  expect(await get('?lookup=yes')).toMatchObject({ status: 400, detail: expect.stringContaining('lookup') })
})

test('GET /statements and /trust: the tree, and why an address is in or out', async ({ hub: it }) => {
  const [friend, stranger] = [newSigner(), newSigner()]
  await it.node.submitStatement(delegationBy(it.node.signer, friend, it), { asPublisher: true })
  const ask = async (address: string) => (await it.json(`/trust?address=${address}`)) as object
  expect(await ask(formatAddress(friend.address))).toMatchObject({
    roots: [{ address: it.node.address, branches: [{ address: formatAddress(friend.address), branches: [] }] }],
    asked: { in: true, path: [it.node.address, formatAddress(friend.address)] },
  })
  expect(await ask(formatAddress(stranger.address))).toMatchObject({ asked: { in: false } })
  expect((await it.ask('/trust?address=nobody')).status).toBe(400)
})

test('GET /statements and /trust: are for the operator', async ({ hub: it }) => {
  for (const path of ['/statements', '/trust']) expect((await it.ask(path, { token: null })).status).toBe(401)
})

test('GET /statements and /trust: what is learnt is in the event stream', async ({ hub: it }) => {
  const response = await it.ask('/events?only=trust:')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await nextText(reader)
  expect(await nextText(reader)).toContain('event: open')
  it.node.events.emit('trust:changed', { on: 'tree' })
  expect(await nextText(reader)).toContain('event: trust:changed')
})

test("the client speaks it: a round trip, and the node's own errors", async ({ loopback: it }) => {
  const friend = newSigner()
  const bytes = delegationBy(it.node.signer, friend, it, { depth: 2 })
  const { outcome, id } = await it.client.submitStatement(bytes)
  expect([outcome, it.node.trust.published.length]).toEqual(['new', 1])
  const address = formatAddress(friend.address)
  expect(await it.client.statements({ address })).toEqual(it.node.statements())
  expect(await it.client.statements({ address }, { lookup: true })).toMatchObject([{ id, subject: address, depth: 2 }])
  expect((await it.client.trust(address)).asked?.in).toBe(true)
  expect((await it.client.trust()).asked).toBeUndefined()
  await expect(it.client.trust('nobody')).rejects.toMatchObject({ name: 'InputError' })
  await expect(it.client.submitStatement(new Uint8Array(9))).rejects.toMatchObject({ name: 'InputError' })
})
