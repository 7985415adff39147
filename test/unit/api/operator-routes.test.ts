import { expect } from 'vitest'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import type { WakeCondition } from '../../../src/base/verdict.ts'
import type { Change } from '../../../src/node/types.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiInMemory, expectAnswer, TOKEN, test } from './harness.ts'

const READS =
  '/services /service/hello /service/hello/explain /service/hello/logs /events /peers /drain /policy /statements /trust'
const WRITES = '/service/hello/ask /service/hello/stop /archive /reload /drain /undrain /policy /policy/preview'
const ROUTES = [
  ...READS.split(' ').map((path) => ['GET', path] as const),
  ...WRITES.split(' ').map((path) => ['POST', path] as const),
]

test.for(ROUTES)('access: %s %s wants the token', async ([method, path], { it }) => {
  for (const token of [null, 'wrong', `${TOKEN}x`, TOKEN.slice(0, -1)]) {
    const response = await it.ask(path, { method, token })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toEqual(expect.objectContaining({ detail: expect.stringContaining('token') }))
  }
  expect((await it.ask(`${path}?token=${TOKEN}&access_token=${TOKEN}`, { method, token: null })).status).toBe(401)
  expect(it.node.reloads).toBe(0)
})

test.each([
  ['127.0.0.1:4981', 200],
  ['[::1]:4981', 200],
  ['localhost', 200],
  ['192.168.1.7:4981', 200],
  ['node.example.org:4981', 200],
  ['evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['localhost.evil.example:4981', 403],
])('access: a request for Host %s is answered with %i', async (host, status) => {
  using it = apiInMemory('Node.Example.ORG')
  expect((await it.ask('/services', { headers: { host } })).status).toBe(status)
})

test('access: a page of another origin is refused, and no CORS header invites one', async ({ it }) => {
  const from = (origin: string) => it.ask('/services', { headers: { origin, host: '127.0.0.1:4981' } })
  const preflight = it.ask('/service', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })
  for (const [asked, status] of [
    [from('https://evil.example'), 403],
    [from('null'), 403],
    [from('http://127.0.0.1:4981'), 200],
    [preflight, 404],
  ] as const) {
    const answer = await asked
    expect(answer.status).toBe(status)
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

test('access: the token is in no log line, also when requests fail', async ({ it }) => {
  it.node.lists.services = () => {
    throw new Error('broken')
  }
  const response = await it.ask('/services')
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('broken')
  expect(it.lines.join()).toContain('broken')
  expect(it.lines.join()).not.toContain(TOKEN)
})

test('what the operator sees and does: services, one by id, by beginning and by name', async ({ it }) => {
  const { id } = await it.receive()
  expect(await it.json('/services')).toEqual({ asOf: expect.any(Number), services: [it.node.service(id)] })
  for (const text of [id, id.slice(0, 12), 'hello']) {
    expect(await it.json(`/service/${text}`)).toMatchObject({ id, name: 'hello', state: 'redirected' })
  }
  expect((await it.ask('/service/unknown')).status).toBe(404)
  await it.node.receive(announcementOf(newSigner(), it).bytes)
  expect((await it.ask('/service/hello')).status).toBe(400)
})

test('drain: with a deadline, without one, and its end', async ({ it }) => {
  expect(await it.json('/drain')).toEqual({})
  const view = (await it.json('/drain?deadline=90', { method: 'POST' })) as { since: number }
  expect(view).toMatchObject({ deadline: view.since + 90, done: true, waiting: [], cut: [] })
  expect(await it.json('/drain')).toEqual({ drain: view })
  expect(await it.json('/health')).toMatchObject({ drain: { since: view.since, done: true } })
  expect(await it.json('/drain?deadline=none', { method: 'POST' })).not.toHaveProperty('deadline')
  for (const wrong of ['-1', '1.5', 'soon', '', '99999999']) {
    expect((await it.ask(`/drain?deadline=${wrong}`, { method: 'POST' })).status).toBe(400)
  }
  expect(await it.json('/undrain', { method: 'POST' })).toEqual({ undrained: true })
  expect(await it.json('/undrain', { method: 'POST' })).toEqual({ undrained: false })
})

test('what the operator sees and does: explain, ask, stop, peers, reload', async ({ it }) => {
  const { id } = await it.receive()
  expect(await it.json('/service/hello/explain')).toMatchObject({
    ...{ id, verdict: { run: false, redirect: true } },
    code: { code: it.node.service(id).code, state: 'absent', failures: [] },
  })
  it.node.addReceipt(id, 'running')
  expect(await it.json('/service/hello/ask', { method: 'POST' })).toMatchObject({ receipts: [{ state: 'running' }] })
  expect(await it.json('/service/hello/stop', { method: 'POST' })).toEqual({ scope: 'mesh' })
  expect(it.node.service(id).state).toBe('stopped')
  expect(await it.json('/peers')).toEqual({
    peers: [],
    reachability: { state: 'unknown', because: 'it is a fake', relays: [] },
  })
  expect((await it.ask('/reload', { method: 'POST' })).status).toBe(200)
  it.node.reloadProblem = new InputError('config.json: KEYWORDS is 7; allowed is a list')
  const wrong = await it.ask('/reload', { method: 'POST' })
  expect([wrong.status, await wrong.json()]).toEqual([
    400,
    expect.objectContaining({ detail: 'config.json: KEYWORDS is 7; allowed is a list' }),
  ])
  it.node.reloadProblem = new UnavailableError('the runner is starting')
  expect((await it.ask('/reload', { method: 'POST' })).status).toBe(503)
  expect(it.node.reloads).toBe(1)
})

test('what the operator sees and does: an archive is taken as a stream, and its problem is reported', async ({
  it,
}) => {
  const post = (body: string | Uint8Array | null, type = 'application/x-tar') =>
    it.ask('/archive', { method: 'POST', headers: { 'content-type': type }, body })
  const response = await post(new Uint8Array(3 * 1024 * 1024))
  expect(await response.json()).toEqual({ code: [...it.node.archives.keys()][0], size: 3 * 1024 * 1024 })
  expect((await post('abc')).status).toBe(400)
  expect((await post(null)).status).toBe(400)
  expect((await post('abc', 'text/plain')).status).toBe(415)
  const huge = await it.ask('/archive', {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', 'content-length': String(5 * 2 ** 30) },
    body: 'abc',
  })
  expect(huge.status).toBe(413)
})

const CHANGE: Change = {
  id: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
  name: 'hello',
  author: 'someone',
  from: 'run',
  to: 'refused',
  reasons: [{ rule: 'keywords', outcome: 'fail', message: 'none matches', warned: 'fail' }],
}

type Body = string | Uint8Array<ArrayBuffer> | null
function post(it: ReturnType<typeof apiInMemory>, path: string, body: Body, type = 'application/json') {
  return it.ask(path, { method: 'POST', headers: { 'content-type': type }, body })
}

/** All that a parked service may wait for. */
const WAITS: WakeCondition[] = [
  { on: 'capacity' },
  { on: 'policy' },
  { on: 'quorum', code: 'c' },
  { on: 'freeze', chain: 'btc' },
  { on: 'delegation', author: 'a' },
  { on: 'replica' },
]

test('the policy: is shown with what its rules said and what runners receive', async ({ it }) => {
  const view = await it.json('/policy')
  expect(view).toMatchObject({ parked: 0, counts: { keywords: { pass: 3, warned: 2 } }, facts: { running: [] } })
  expect(view).toMatchObject({ facts: { config: { DESC_MAX_LEN: 200 }, capacity: { runs: 0 } } })
})

test('the policy: a candidate is previewed, and put in force as it was written, comments and all', async ({ it }) => {
  it.node.changes = [CHANGE]
  const text = '{ "DESC_MAX_LEN": 100 // short\n}'
  const preview = await post(it, '/policy/preview', text)
  const previewed = { changes: [CHANGE], more: 0, asked: 0, notAsked: 0, forgotten: 0 }
  expect([preview.status, await preview.json()]).toEqual([200, previewed])
  expect(it.node.applied).toEqual([])
  const applied = { changes: [CHANGE], background: 0 }
  await expectAnswer(post(it, '/policy', text, 'application/json; charset=utf-8'), 200, applied)
  expect(it.node.applied).toEqual([text])
  expect(await it.json('/policy')).toMatchObject({ facts: { config: { DESC_MAX_LEN: 100 } } })
})

test.for<[string, Body, string | undefined, number, RegExp]>([
  ['nothing', null, undefined, 400, /is not JSON/],
  ['no JSON', 'KEYWORDS: []', undefined, 400, /config\.json is not JSON: line 1, column 1/],
  ['no object', '[]', undefined, 400, /config\.json is \[\]; allowed is an object/],
  ['a wrong type', '{"KEYWORDS": 7}', undefined, 400, /KEYWORDS is 7; allowed is a list/],
  ['an unknown key', '{"KEYWORD": []}', undefined, 400, /KEYWORD .* is not a known key; did you mean KEYWORDS\?/],
  ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), undefined, 400, /no UTF-8/],
  ['10 MiB', `{"KEYWORDS":["${'x'.repeat(10 * 2 ** 20)}"]}`, undefined, 413, /at most 1 MiB/],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, /application\/json/],
])('the policy: %s is refused with a reason', async ([_what, body, type, status, sentence], { it }) => {
  for (const path of ['/policy/preview', '/policy']) {
    const response = await post(it, path, body, type)
    expect(response.status).toBe(status)
    expect(((await response.json()) as { detail: string }).detail).toMatch(sentence)
  }
  expect(it.node.applied).toEqual([])
})

test("the policy: the node's own words arrive", async ({ it }) => {
  it.node.applyPolicy = async () => {
    throw new InputError('the runner /x/runner.js threw while it was loading')
  }
  expect([(await post(it, '/policy', '{}')).status]).toEqual([400])
  it.node.applyPolicy = async () => {
    throw new UnavailableError('this node was started without a folder to read again')
  }
  expect([(await post(it, '/policy', '{}')).status]).toEqual([503])
})

test('the policy: the client brings all of it', async ({ loopback: it }) => {
  it.node.changes = [CHANGE]
  expect(await it.client.previewPolicy('{}')).toMatchObject({ changes: [CHANGE], more: 0, forgotten: 0 })
  expect(await it.client.applyPolicy('{"DESC_MAX_LEN":7}')).toEqual({ changes: [CHANGE], background: 0 })
  expect(await it.client.policy()).toMatchObject({ facts: { config: { DESC_MAX_LEN: 7 } } })
  await expect(it.client.applyPolicy('{"DESC_MAX_LEN":"x"}')).rejects.toThrow(InputError)
})

test('explain: in force or now, with the verdicts before, and what would have been', async ({ loopback: it }) => {
  const { id } = await it.receive()
  const at = 1_700_000_000
  it.node.put({ ...it.node.service(id), state: 'parked', parked: { since: at, until: at + 60, on: WAITS } })
  expect(await it.client.explain(id)).toMatchObject({ from: 'journal', parked: { on: WAITS } })
  expect((await it.client.explain(id)).history).toBeUndefined()
  const more = await it.client.explain(id, { now: true, history: true })
  expect(more).toMatchObject({ from: 'now', history: [{ policy: 'ab'.repeat(32) }, { failure: 'it threw' }] })
  expect(await it.client.service(id)).toMatchObject({ parked: { until: at + 60 } })
})

test('explain: a flag that is no flag is refused', async ({ it }) => {
  await it.receive()
  await expectAnswer(
    it.ask('/service/hello/explain?now=yes'),
    400,
    expect.objectContaining({ detail: 'now must be true or false' }),
  )
})
