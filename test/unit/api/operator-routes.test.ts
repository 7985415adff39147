import { expect } from 'vitest'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiInMemory, TOKEN, test } from './harness.ts'

const ROUTES: [string, string][] = [
  ['GET', '/services'],
  ['GET', '/service/hello'],
  ['GET', '/service/hello/explain'],
  ['GET', '/service/hello/logs'],
  ['POST', '/service/hello/ask'],
  ['POST', '/service/hello/stop'],
  ['GET', '/events'],
  ['POST', '/archive'],
  ['POST', '/reload'],
  ['GET', '/peers'],
  ['GET', '/policy'],
  ['POST', '/policy'],
  ['POST', '/policy/preview'],
  ['GET', '/statements'],
  ['GET', '/trust'],
]

test.for(ROUTES)('who may ask: %s %s wants the token', async ([method, path], { it }) => {
  for (const token of [null, 'wrong', `${TOKEN}x`, TOKEN.slice(0, -1)]) {
    const response = await it.ask(path, { method, token })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toEqual({ error: expect.stringContaining('token') })
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
])('who may ask: a request for Host %s is answered with %i', async (host, status) => {
  using it = apiInMemory('Node.Example.ORG')
  expect((await it.ask('/services', { headers: { host } })).status).toBe(status)
})

test('who may ask: a page of another origin is refused, and no CORS header invites one', async ({ it }) => {
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

test('who may ask: the token is in no log line, also when requests fail', async ({ it }) => {
  it.node.services = () => {
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
  expect(await it.json('/services')).toEqual({ services: [it.node.service(id)] })
  for (const text of [id, id.slice(0, 12), 'hello']) {
    expect(await it.json(`/service/${text}`)).toMatchObject({ id, name: 'hello', state: 'redirected' })
  }
  expect((await it.ask('/service/unknown')).status).toBe(404)
  await it.node.receive(announcementOf(newSigner(), it).bytes)
  expect((await it.ask('/service/hello')).status).toBe(400)
})

test('what the operator sees and does: explain, ask, stop, peers, reload', async ({ it }) => {
  const { id } = await it.receive()
  expect(await it.json('/service/hello/explain')).toMatchObject({ id, verdict: { run: false, redirect: true } })
  it.node.addReceipt(id, 'running')
  expect(await it.json('/service/hello/ask', { method: 'POST' })).toMatchObject({ receipts: [{ state: 'running' }] })
  expect(await it.json('/service/hello/stop', { method: 'POST' })).toEqual({ scope: 'mesh' })
  expect(it.node.service(id).state).toBe('stopped')
  expect(await it.json('/peers')).toEqual({ peers: [] })
  expect((await it.ask('/reload', { method: 'POST' })).status).toBe(200)
  it.node.reloadProblem = new InputError('config.json: KEYWORDS is 7; allowed is a list')
  const wrong = await it.ask('/reload', { method: 'POST' })
  expect([wrong.status, await wrong.json()]).toEqual([400, { error: 'config.json: KEYWORDS is 7; allowed is a list' }])
  it.node.reloadProblem = new UnavailableError('the runner is starting')
  expect((await it.ask('/reload', { method: 'POST' })).status).toBe(503)
  expect(it.node.reloads).toBe(1)
})

test('what the operator sees and does: an archive is taken as a stream, and its problem is told', async ({ it }) => {
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
