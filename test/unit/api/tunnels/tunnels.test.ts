import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import { MAX_TUNNELS, MAX_TUNNELS_PER_PRINCIPAL, SESSION_SECONDS } from '../../../../src/api/constants.ts'
import { apiInMemory, TOKEN, test } from '../harness.ts'

type It = ReturnType<typeof apiInMemory>
type Tunnel = { id: string; local: string; connections: number; by: { kind: string; id: string } }
const JSON_TYPE = { 'Content-Type': 'application/json' }

const tokenOf = async (it: It, scope: string, seconds = 60) =>
  (await it.json('/tokens', {
    method: 'POST',
    body: JSON.stringify({ name: scope, scope, seconds }),
    headers: JSON_TYPE,
  })) as {
    secret: string
    token: { id: string }
  }
const open = (it: It, init: RequestInit & { token?: string | null } = {}, port = 'http') =>
  it.ask(`/service/hello/tunnel?port=${port}`, { method: 'POST', ...init })
const opened = async (it: It, init: Parameters<typeof open>[1] = {}) => (await (await open(it, init)).json()) as Tunnel
const listed = async (it: It) => ((await it.json('/tunnels')) as { tunnels: Tunnel[] }).tunnels

async function sessionOf(it: It) {
  const { path } = await it.json('/sessions/link', { method: 'POST' })
  const headers = { ...JSON_TYPE, 'X-Thundercloud': '1' }
  const body = JSON.stringify({ secret: String(path).split('login=')[1] })
  const answer = await it.ask('/session', { method: 'POST', token: null, headers, body })
  const { session } = (await answer.json()) as { session: { id: string } }
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  return { id: session.id, asks: { token: null, headers: { cookie, 'X-Thundercloud': '1' } }, cookie }
}

async function dial(local: string): Promise<Socket> {
  const [host = '', port] = local.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Whatever the service is, the fake node's sends back what it gets. */
async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [piece] = (await once(socket, 'data')) as [Buffer]
  return piece.toString()
}

async function isGone(local: string): Promise<boolean> {
  const [host = '', port] = local.split(':')
  const socket = connect(Number(port), host)
  const [what] = await Promise.race([once(socket, 'error'), once(socket, 'connect').then(() => ['connected'])])
  socket.destroy()
  return what !== 'connected'
}

test('a tunnel leads to the service, at an address that is not the dashboard’s', async ({ it }) => {
  await it.receive()
  const first = await opened(it)
  const second = await opened(it)
  expect(first.by).toEqual({ kind: 'token', id: 'operator' })
  for (const { local } of [first, second]) {
    expect(local).toMatch(/^127\.\d+\.\d+\.\d+:\d+$/)
    expect(local).not.toMatch(/^127\.0\.0\.1:/)
  }
  expect(first.local.split(':')[0]).not.toBe(second.local.split(':')[0])
  const socket = await dial(first.local)
  expect(await echo(socket, 'hello')).toBe('hello')
  expect(await listed(it)).toMatchObject([
    { id: first.id, connections: 1 },
    { id: second.id, connections: 0 },
  ])
  const closed = once(socket, 'close')
  expect((await it.ask(`/tunnels/${first.id}/close`, { method: 'POST' })).status).toBe(200)
  await closed
  expect(await isGone(first.local)).toBe(true)
  expect((await listed(it)).map(({ id }) => id)).toEqual([second.id])
  expect((await it.ask(`/tunnels/${first.id}/close`, { method: 'POST' })).status).toBe(404)
})

test('nobody opens, sees or closes one without the scope, and no page of another origin', async ({ it }) => {
  await it.receive()
  const { id } = await opened(it)
  for (const scope of ['read', 'publish']) {
    const { secret: token } = await tokenOf(it, scope)
    expect((await open(it, { token })).status).toBe(403)
    expect((await it.ask('/tunnels', { token })).status).toBe(403)
    expect((await it.ask(`/tunnels/${id}/close`, { method: 'POST', token })).status).toBe(403)
  }
  const { cookie } = await sessionOf(it)
  const form = { token: null, headers: { cookie, 'Content-Type': 'application/x-www-form-urlencoded' } }
  expect((await open(it, form)).status).toBe(403)
  expect((await it.ask(`/tunnels/${id}/close`, { method: 'POST', ...form })).status).toBe(403)
  expect((await open(it, { headers: { origin: 'https://evil.example' } })).status).toBe(403)
  expect(await listed(it)).toHaveLength(1)
})

test('it ends with the session that opened it: signed out, revoked, expired', async ({ it }) => {
  await it.receive()
  const ends = [
    (session: { id: string; asks: object }) => it.ask('/sessions/current/revoke', { method: 'POST', ...session.asks }),
    ({ id }: { id: string }) => it.ask(`/sessions/${id}/revoke`, { method: 'POST' }),
    () => it.clock.advance((SESSION_SECONDS + 61) * 1000),
  ]
  const other = await opened(it)
  for (const end of ends) {
    const session = await sessionOf(it)
    const { local, by } = await opened(it, session.asks)
    expect(by).toEqual({ kind: 'session', id: session.id })
    const socket = await dial(local)
    expect(await echo(socket, 'x')).toBe('x')
    const closed = once(socket, 'close')
    await end(session)
    await closed
    expect(await isGone(local)).toBe(true)
  }
  // the operator's own had its time, too
  expect(await isGone(other.local)).toBe(true)
  expect(await listed(it)).toEqual([])
})

test('it ends with the token that opened it, and with the API', async ({ it }) => {
  await it.receive()
  const { secret, token } = await tokenOf(it, 'operate')
  const { local } = await opened(it, { token: secret })
  await it.ask(`/tokens/${token.id}/revoke`, { method: 'POST' })
  expect(await isGone(local)).toBe(true)
  const last = await opened(it)
  it.api[Symbol.dispose]()
  expect(await isGone(last.local)).toBe(true)
})

test('their number is bounded, for one principal and for all, also when many are asked for at once', async ({ it }) => {
  await it.receive()
  const counts = async (init: object) => {
    const answers = await Promise.all(Array.from({ length: MAX_TUNNELS_PER_PRINCIPAL + 4 }, () => open(it, init)))
    return answers.filter(({ ok }) => ok).length
  }
  expect(await counts({})).toBe(MAX_TUNNELS_PER_PRINCIPAL)
  expect(await counts((await sessionOf(it)).asks)).toBe(MAX_TUNNELS_PER_PRINCIPAL)
  const refused = await open(it, (await sessionOf(it)).asks)
  expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
    429,
    `${MAX_TUNNELS} tunnels are open, which is all that the node has at once; close one`,
  ])
})

test('a session of another machine gets none; what is malformed is refused', async () => {
  using it = apiInMemory('node.example.org')
  await it.receive()
  const { asks } = await sessionOf(it)
  for (const host of ['node.example.org', '192.168.1.7:4981']) {
    const answer = await open(it, { ...asks, headers: { ...asks.headers, host } })
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
      403,
      expect.stringContaining('use `thundercloud connect` there'),
    ])
  }
  expect((await open(it, {}, 'nothing')).status).toBe(404)
  expect((await open(it, {}, '')).status).toBe(400)
  expect((await open(it, {}, 'x'.repeat(101))).status).toBe(400)
  expect((await it.ask('/service/other/tunnel?port=http', { method: 'POST' })).status).toBe(404)
  expect((await it.ask('/service/hello/tunnel?port=http', { method: 'POST', token: `${TOKEN}x` })).status).toBe(401)
  expect(await listed(it)).toEqual([])
})

test('a service that cannot be reached closes the connection, and the list says why', async ({ it }) => {
  await it.receive()
  it.node.connect = async () => {
    throw new Error('no node was found\u001b[2J')
  }
  const { local } = await opened(it)
  const socket = await dial(local)
  await once(socket, 'close')
  const [row] = (await listed(it)) as (Tunnel & { problem: string })[]
  expect(row?.problem).toMatch(/^no node was found/)
  expect(row?.problem).not.toContain('\u001b')
})
