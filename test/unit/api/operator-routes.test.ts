import { describe, expect, test } from 'vitest'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiInMemory, TOKEN } from './harness.ts'

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

describe('who may ask', () => {
  test.each(ROUTES)('%s %s wants the token', async (method, path) => {
    using it = apiInMemory()
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
  ])('a request for Host %s is answered with %i', async (host, status) => {
    using it = apiInMemory('Node.Example.ORG')
    expect((await it.ask('/services', { headers: { host } })).status).toBe(status)
  })

  test('a page of another origin is refused, and no CORS header invites one', async () => {
    using it = apiInMemory()
    const foreign = await it.ask('/services', { headers: { origin: 'https://evil.example', host: '127.0.0.1:4981' } })
    expect(foreign.status).toBe(403)
    expect((await it.ask('/services', { headers: { origin: 'null', host: '127.0.0.1:4981' } })).status).toBe(403)
    const own = await it.ask('/services', { headers: { origin: 'http://127.0.0.1:4981', host: '127.0.0.1:4981' } })
    expect(own.status).toBe(200)
    const preflight = await it.ask('/service', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })
    expect(preflight.status).toBe(404)
    for (const response of [foreign, own, preflight]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('the token is in no log line, also when requests fail', async () => {
    using it = apiInMemory()
    it.node.services = () => {
      throw new Error('broken')
    }
    const response = await it.ask('/services')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('broken')
    expect(it.lines.join()).toContain('broken')
    expect(it.lines.join()).not.toContain(TOKEN)
  })
})

describe('what the operator sees and does', () => {
  test('services, one by id, by beginning and by name', async () => {
    using it = apiInMemory()
    const { bytes, id } = announcementOf(it.node.signer, it)
    await it.node.receive(bytes)
    expect(await (await it.ask('/services')).json()).toEqual({ services: [it.node.service(id)] })
    for (const text of [id, id.slice(0, 12), 'hello']) {
      expect(await (await it.ask(`/service/${text}`)).json()).toMatchObject({ id, name: 'hello', state: 'redirected' })
    }
    expect((await it.ask('/service/unknown')).status).toBe(404)
    await it.node.receive(announcementOf(newSigner(), it).bytes)
    expect((await it.ask('/service/hello')).status).toBe(400)
  })

  test('explain, ask, stop, peers, reload', async () => {
    using it = apiInMemory()
    const { bytes, id } = announcementOf(it.node.signer, it)
    await it.node.receive(bytes)
    expect(await (await it.ask('/service/hello/explain')).json()).toMatchObject({
      id,
      verdict: { run: false, redirect: true },
    })
    it.node.addReceipt(id, 'running')
    expect(await (await it.ask('/service/hello/ask', { method: 'POST' })).json()).toMatchObject({
      receipts: [{ state: 'running' }],
    })
    expect(await (await it.ask('/service/hello/stop', { method: 'POST' })).json()).toEqual({ scope: 'mesh' })
    expect(it.node.service(id).state).toBe('stopped')
    expect(await (await it.ask('/peers')).json()).toEqual({ peers: [] })
    expect((await it.ask('/reload', { method: 'POST' })).status).toBe(200)
    it.node.reloadProblem = new InputError('config.json: KEYWORDS is 7; allowed is a list')
    const wrong = await it.ask('/reload', { method: 'POST' })
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: 'config.json: KEYWORDS is 7; allowed is a list' },
    ])
    it.node.reloadProblem = new UnavailableError('the runner is starting')
    expect((await it.ask('/reload', { method: 'POST' })).status).toBe(503)
    expect(it.node.reloads).toBe(1)
  })

  test('an archive is taken as a stream, and its problem is told', async () => {
    using it = apiInMemory()
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
})
