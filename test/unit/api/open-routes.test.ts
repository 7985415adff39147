import { expect } from 'vitest'
import { decodeCanonical, fromDagJson, toDagJson } from '../../../protocols/encoding.ts'
import { MAX_ANNOUNCEMENT_BYTES } from '../../../protocols/limits.ts'
import { escapeUnseen } from '../../../src/base/format.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiOnLoopback, expectAnswer, TOKEN, test } from './harness.ts'

const CBOR = { 'content-type': 'application/cbor' }
const JSON_TYPE = { 'content-type': 'application/json' }

test('what anyone may ask: health and node answer without a token', async ({ it }) => {
  const health = await it.ask('/health', { token: null })
  expect(health.status).toBe(200)
  expect(await health.json()).toMatchObject({ ok: true, network: 'test', peerId: it.node.peerId })
  const node = await it.ask('/node', { token: null })
  const { peerId, address } = it.node
  const said = { peerId, address, network: 'test', version: '1.2.3', multiaddrs: it.node.multiaddrs() }
  expect(await node.json()).toEqual(said)
})

test('what anyone may ask: health is asked once a second however many ask', async ({ it }) => {
  let asked = 0
  const real = it.node.health
  it.node.health = () => {
    asked++
    return real()
  }
  await Promise.all(Array.from({ length: 50 }, () => it.ask('/health')))
  expect(asked).toBe(1)
  await it.clock.advance(1_001)
  await it.ask('/health')
  expect(asked).toBe(2)
})

test("a path that is not there is a 404 with a sentence, without the path's control characters", async ({ it }) => {
  const response = await it.ask('/nope%1b[31m', { token: null })
  expect(response.status).toBe(404)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
  expect(((await response.json()) as { detail: string }).detail).not.toMatch(/[\u0000-\u001f]/)
})

test('what others wrote does nothing at the terminal of who reads an answer or a stream with curl', async ({ it }) => {
  const { id, bytes } = announcementOf(newSigner(), { clock: it.clock })
  await it.node.receive(bytes)
  const title = 'red \u009b31m \u202e \u{e0041} \u200b é'
  it.node.put({ ...it.node.service(id), title })
  it.node.addLine(title)
  const text = await (await it.ask('/services')).text()
  expect(escapeUnseen(text)).toBe(text)
  expect(text).toContain('é')
  expect((JSON.parse(text) as { services: { title: string }[] }).services[0]?.title).toBe(title)
  const lines = await (await it.ask(`/service/${id}/logs`)).text()
  expect(lines).toContain('red \\u009b31m')
  expect(escapeUnseen(lines)).toBe(lines)
})

test('what anyone may ask: the API describes itself', async ({ it }) => {
  const response = await it.ask('/openapi.json', { token: null })
  const { paths } = (await response.json()) as { paths: Record<string, object> }
  const what = ['', '/ask', '/explain', '/logs', '/results', '/results/archive', '/stop', '/tunnel', '/usage']
  const service = what.map((end) => `/service/{id}${end}`)
  expect(Object.keys(paths).sort()).toEqual([
    ...[
      '/alerts',
      '/alerts/{alert}/test',
      '/archive',
      '/audit',
      '/blocks',
      '/blocks/{kind}/{subject}',
      '/blocks/{kind}/{subject}/remove',
      '/code',
      '/code/gc',
      '/code/verify',
      '/code/{code}',
      '/code/{code}/archive',
      '/code/{code}/fetch',
      '/dormitory',
      '/drain',
    ],
    ...[
      '/events',
      '/health',
      '/metrics',
      '/node',
      '/pause',
      '/peers',
      '/policy',
      '/policy/check',
      '/policy/history',
      '/policy/history/{number}',
      '/policy/history/{number}/revert',
      '/policy/preview',
      '/policy/text',
      '/pools',
      '/pools/data',
      '/pools/{name}/data/remove',
      '/pools/{name}/remove',
      '/receipts',
      '/reload',
      '/resume',
      '/runs',
      '/service',
    ],
    ...[
      ...service,
      '/services',
      '/services/counts',
      '/session',
      '/sessions',
      '/sessions/link',
      '/sessions/{id}/revoke',
      '/statement',
      '/statement/preview',
      '/statements',
      '/tokens',
      '/tokens/{id}/revoke',
      '/trust',
      '/tunnels',
      '/tunnels/{id}/close',
      '/undrain',
    ],
  ])
})

const DAG_CBOR = ['application/cbor', 'application/vnd.ipld.dag-cbor', 'Application/CBOR; x=1']
test.for(DAG_CBOR)('POST /service: takes dag-cbor as %s', async (type, { it }) => {
  const { bytes, id } = announcementOf(newSigner(), it)
  const post = () => it.ask('/service', { method: 'POST', token: null, headers: { 'content-type': type }, body: bytes })
  await expectAnswer(post(), 202, { id, outcome: 'new' })
  await expectAnswer(post(), 200, { id, outcome: 'known' })
})

test('POST /service: takes the tuple as DAG-JSON, bare, wrapped, or wrapped as bytes', async ({ it }) => {
  const { bytes, id } = announcementOf(newSigner(), it)
  const tuple = decodeCanonical(bytes)
  for (const body of [tuple, { announcement: tuple }, { announcement: bytes }]) {
    const text = toDagJson(body)
    expect(fromDagJson(text)).toEqual(body)
    const response = await it.ask('/service', { method: 'POST', token: null, headers: JSON_TYPE, body: text })
    expect(await response.json()).toMatchObject({ id })
  }
  expect(it.node.announcements).toHaveLength(3)
})

test.for<[string, Record<string, string>, string | Uint8Array, number, RegExp]>([
  ['no type', {}, 'x', 415, /Content-Type/],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', 415, /application\/cbor/],
  ['text that a web page may send anywhere', { 'content-type': 'text/plain' }, '{}', 415, /text\/plain/],
  ['no cbor', CBOR, 'hello', 400, /./],
  ['nothing', CBOR, '', 400, /./],
  ['no JSON', JSON_TYPE, '{', 400, /DAG-JSON/],
  ['no UTF-8', JSON_TYPE, Uint8Array.of(0x22, 0xff, 0x22), 400, /UTF-8/],
  ['a number', JSON_TYPE, '7', 400, /announcement/],
  ['an object of another kind', JSON_TYPE, '{"hello":1}', 400, /neither an announcement nor a manifest/],
  ['deep nesting', JSON_TYPE, '['.repeat(10_000), 400, /nests/],
  ['too much cbor', CBOR, new Uint8Array(MAX_ANNOUNCEMENT_BYTES + 1), 413, /16 KiB/],
  ['too much JSON', JSON_TYPE, ' '.repeat(MAX_ANNOUNCEMENT_BYTES * 2 + 1), 413, /32 KiB/],
  ['a manifest from a stranger', JSON_TYPE, '{"name":"x"}', 401, /token/],
])('POST /service: refuses %s', async ([_what, headers, body, status, sentence], { it }) => {
  const response = await it.ask('/service', { method: 'POST', token: null, headers, body })
  const { detail: error } = (await response.json()) as { detail: string }
  expect([response.status, error]).toEqual([status, expect.stringMatching(sentence)])
  expect(error).not.toContain('\n')
  expect(it.node.announcements).toHaveLength(0)
})

test('POST /service: refuses a forged signature with the reason', async ({ it }) => {
  const { bytes } = announcementOf(newSigner(), { ...it, network: 'other' })
  await expectAnswer(it.ask('/service', { method: 'POST', token: null, headers: CBOR, body: bytes }), 400, {
    detail: expect.stringContaining('signature'),
  })
})

test('with the token an announcement is published from here, and with a wrong one refused', async ({ it }) => {
  const mine = announcementOf(newSigner(), it)
  const theirs = announcementOf(newSigner(), it)
  const forged = announcementOf(newSigner(), { ...it, network: 'other' })
  const post = (body: Uint8Array, token: string | null) =>
    it.ask('/service', { method: 'POST', token, headers: CBOR, body })
  expect((await post(mine.bytes, TOKEN)).status).toBe(202)
  expect((await post(theirs.bytes, null)).status).toBe(202)
  expect((await post(theirs.bytes, 'wrong')).status).toBe(401)
  expect((await post(forged.bytes, TOKEN)).status).toBe(400)
  expect([...it.node.published]).toEqual([mine.id])
})

test('POST /service: a full queue is 429 and says when to come back', async ({ it }) => {
  it.node.refuse = { outcome: 'refused', reason: 'the queue is full', retry: true }
  const { bytes } = announcementOf(newSigner(), it)
  const response = await it.ask('/service', { method: 'POST', token: null, headers: CBOR, body: bytes })
  expect(response.status).toBe(429)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
})

test("POST /service: signs the operator's manifest, and says what is wrong with one", async ({ it }) => {
  const { code } = await it.node.addArchive(
    (async function* () {
      yield new Uint8Array(1024)
    })(),
  )
  const manifest = { name: 'mine', code, toolchain: ['node.js'], run: { command: ['node', 'x.js'] } }
  const post = (body: object) => it.ask('/service', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) })
  const response = await post(manifest)
  expect(response.status).toBe(202)
  const { id, seq } = (await response.json()) as { id: string; seq: number }
  expect([seq, it.node.service('mine').id]).toEqual([0, id])
  await expectAnswer(
    post({ ...manifest, replicas: 0 }),
    400,
    expect.objectContaining({ detail: expect.stringContaining('replicas') }),
  )
})

const COUNT = 1_000
const SEED = process.env.SEED ?? String(process.pid)

/** Flips, cuts, doubles and inserts: what a broken or hostile program sends. */
function mutate(bytes: Uint8Array, rng: ReturnType<typeof seededRng>): Uint8Array {
  const copy = Buffer.from(bytes)
  switch (rng.int(5)) {
    case 0:
      for (let count = rng.int(8) + 1; count > 0; count--) copy[rng.int(copy.length)] = rng.int(256)
      return copy
    case 1:
      return copy.subarray(0, rng.int(copy.length))
    case 2: {
      const at = rng.int(copy.length)
      return Buffer.concat([copy.subarray(0, at), rng.bytes(rng.int(64) + 1), copy.subarray(at)])
    }
    case 3: {
      const [from, length] = [rng.int(copy.length), rng.int(200)]
      return Buffer.concat([copy, copy.subarray(from, from + length), rng.bytes(1)])
    }
    default:
      return Buffer.concat([rng.bytes(rng.int(40_000))])
  }
}

/** What a body says: white space, and bits of base64 that are no part of a byte, say nothing. */
function meaning(type: string, body: Uint8Array): string {
  try {
    if (type === 'application/json') return toDagJson(fromDagJson(Buffer.from(body).toString()))
  } catch {
    // it says what its bytes are
  }
  return Buffer.from(body).toString('hex')
}

test(`${COUNT} mutated bodies: each a 4xx with a sentence, nothing stored, no growth (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  await using it = await apiOnLoopback()
  const rng = seededRng(SEED)
  const { bytes } = announcementOf(newSigner(), it)
  const manifest = Buffer.from(JSON.stringify({ name: 'x', toolchain: ['node.js'], run: { command: ['node'] } }))
  const seeds: [string, Uint8Array][] = [
    ['application/cbor', bytes],
    ['application/json', Buffer.from(toDagJson(decodeCanonical(bytes)))],
    ['application/json', Buffer.from(toDagJson({ announcement: decodeCanonical(bytes) }))],
    ['application/json', manifest],
  ]
  const send = async (index: number) => {
    const [type, body] = seeds[index % seeds.length] as [string, Uint8Array]
    const mutated = mutate(body, rng)
    if (meaning(type, mutated) === meaning(type, body)) return
    const response = await fetch(`${it.served.url}/service`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: mutated,
    })
    const text = await response.text()
    const what = `body ${index} (${type}): ${Buffer.from(mutated).toString('base64').slice(0, 200)}`
    expect(response.status, what).toBeGreaterThanOrEqual(400)
    expect(response.status, what).toBeLessThan(500)
    const { detail: error } = JSON.parse(text) as { detail: string }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be in a sentence
    expect(error, what).toMatch(/^[^\u0000-\u001f\u007f-\u009f]{3,700}$/)
  }
  for (let index = 0; index < 200; index++) await send(index)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let index = 200; index < COUNT; index++) await send(index)
  globalThis.gc?.()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
  expect(it.node.announcements).toEqual([])
  expect(it.node.services()).toEqual([])
  expect(it.lines.filter((line) => line.includes('a request failed'))).toEqual([])
  expect((await it.client.announce(bytes)).outcome).toBe('new')
})
