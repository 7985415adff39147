import { expect } from 'vitest'
import { createSessions } from '../../../src/api/access/sessions.ts'
import { MAX_LINKS, MAX_SESSIONS, SESSION_IDLE_SECONDS, SESSION_SECONDS } from '../../../src/api/constants.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { type apiInMemory, nextText, openStream, test } from './harness.ts'

type It = ReturnType<typeof apiInMemory>

const PAGE = { 'x-thundercloud': '1', 'content-type': 'application/json' }

async function secretFor(it: It): Promise<string> {
  const { path } = await it.json('/sessions/link', { method: 'POST' })
  const secret = /^\/dashboard\/#login=([\w-]{43})$/.exec(path as string)?.[1]
  expect(secret).toBeDefined()
  return secret as string
}

const exchange = (it: It, secret: string, headers: Record<string, string> = PAGE) =>
  it.ask('/session', { method: 'POST', token: null, headers, body: JSON.stringify({ secret }) })

/** A browser that has opened a session: what it asks carries the cookie. */
async function logIn(it: It) {
  const answer = await exchange(it, await secretFor(it))
  expect(answer.status).toBe(200)
  const set = answer.headers.get('set-cookie') as string
  const cookie = set.split(';')[0] as string
  const { session } = (await answer.json()) as { session: { id: string } }
  const ask = (path: string, init: RequestInit = {}) =>
    it.ask(path, { ...init, token: null, headers: { cookie, ...(init.headers as Record<string, string>) } })
  return { set, cookie, session, ask }
}

test('login: a link opens one session, whose cookie no script reads and no other site sends', async ({ it }) => {
  const { set, ask, session } = await logIn(it)
  expect(set).toMatch(/^thundercloud-\w{12}=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
  expect((await ask('/services')).status).toBe(200)
  expect(await (await ask('/session')).json()).toMatchObject({ session: { id: session.id, scope: 'operate' } })
  expect((await it.ask('/session')).status).toBe(404)
})

test('login: a link works once, and for a minute', async ({ it }) => {
  const secret = await secretFor(it)
  expect((await exchange(it, secret)).status).toBe(200)
  expect((await exchange(it, secret)).status).toBe(401)
  const late = await secretFor(it)
  await it.clock.advance(60_000)
  expect((await exchange(it, late)).status).toBe(401)
  expect((await exchange(it, 'x'.repeat(43))).status).toBe(401)
})

test('login: a form, another origin and localhost open nothing, and the secret stays good', async ({ it }) => {
  const secret = await secretFor(it)
  const { 'x-thundercloud': _, ...form } = PAGE
  for (const headers of [
    form,
    { ...PAGE, origin: 'https://evil.example' },
    { ...PAGE, host: 'evil.example' },
    { ...PAGE, host: 'localhost:4981' },
  ]) {
    const answer = await exchange(it, secret, headers)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null])
  }
  expect((await exchange(it, secret)).status).toBe(200)
})

test('login: the body is bounded and has one form', async ({ it }) => {
  for (const [body, status] of [
    ['{}', 400],
    ['no JSON', 400],
    ['{"secret":7}', 400],
    [`{"secret":"${'x'.repeat(2000)}"}`, 413],
  ] as const) {
    const answer = await it.ask('/session', { method: 'POST', token: null, headers: PAGE, body })
    expect(answer.status).toBe(status)
  }
})

test('a session: what changes something needs the header that a form cannot send', async ({ it }) => {
  const { ask } = await logIn(it)
  expect((await ask('/reload', { method: 'POST' })).status).toBe(403)
  expect(it.node.reloads).toBe(0)
  expect((await ask('/reload', { method: 'POST', headers: { 'x-thundercloud': '1' } })).status).toBe(200)
  expect(it.node.reloads).toBe(1)
})

test('a session: a page of another port of this host gets nothing', async ({ it }) => {
  const { ask } = await logIn(it)
  for (const site of ['same-site', 'cross-site']) {
    expect((await ask('/services', { headers: { 'sec-fetch-site': site } })).status).toBe(403)
  }
  for (const site of ['same-origin', 'none']) {
    expect((await ask('/services', { headers: { 'sec-fetch-site': site } })).status).toBe(200)
  }
  const origin = 'http://127.0.0.1:5000'
  expect((await ask('/reload', { method: 'POST', headers: { 'x-thundercloud': '1', origin } })).status).toBe(403)
})

test('a session: ends when it is idle, at its age, by logout and by revocation', async ({ it }) => {
  const idle = await logIn(it)
  await it.clock.advance((SESSION_IDLE_SECONDS - 60) * 1000)
  expect((await idle.ask('/services')).status).toBe(200)
  await it.clock.advance((SESSION_IDLE_SECONDS - 60) * 1000)
  expect((await idle.ask('/services')).status).toBe(200)
  await it.clock.advance((SESSION_IDLE_SECONDS + 60) * 1000)
  expect((await idle.ask('/services')).status).toBe(401)

  const used = await logIn(it)
  for (let left = SESSION_SECONDS; left > 0; left -= 3600) {
    expect((await used.ask('/services')).status).toBe(200)
    await it.clock.advance(3_600_000)
  }
  expect((await used.ask('/services')).status).toBe(401)

  const left = await logIn(it)
  const headers = { 'x-thundercloud': '1' }
  expect((await left.ask('/sessions/current/revoke', { method: 'POST', headers })).status).toBe(200)
  expect((await left.ask('/services')).status).toBe(401)

  const revoked = await logIn(it)
  expect(await it.json('/sessions')).toMatchObject({ sessions: [{ id: revoked.session.id, by: 'operator' }] })
  expect((await it.ask(`/sessions/${revoked.session.id}/revoke`, { method: 'POST' })).status).toBe(200)
  expect((await revoked.ask('/services')).status).toBe(401)
  expect((await it.ask('/sessions/unknown/revoke', { method: 'POST' })).status).toBe(404)
})

test('a session that ends takes its streams with it', async ({ it }) => {
  const { ask, session } = await logIn(it)
  const reader = await openStream(ask('/events'))
  expect(await nextText(reader)).toContain('event: open')
  await it.ask(`/sessions/${session.id}/revoke`, { method: 'POST' })
  expect(await nextText(reader)).toBe('<end>')
})

test('a session cannot make links, and no secret or cookie is in the log', async ({ it }) => {
  const { ask, cookie } = await logIn(it)
  expect((await ask('/sessions/link', { method: 'POST', headers: { 'x-thundercloud': '1' } })).status).toBe(403)
  it.node.lists.services = () => {
    throw new Error('broken')
  }
  expect((await ask('/services')).status).toBe(500)
  expect(it.lines.join()).toContain('broken')
  expect(it.lines.join()).not.toContain(cookie.split('=')[1])
})

test('sessions and links are bounded: the oldest give way', () => {
  const clock = manualClock()
  using sessions = createSessions({ clock, rng: seededRng('sessions') })
  const by = { kind: 'token', id: 'operator', scope: 'read' } as const
  const first = sessions.link(by).secret
  for (let count = 0; count < MAX_LINKS; count++) sessions.link(by)
  expect(sessions.open(first, '')).toBeUndefined()
  const cookies = Array.from({ length: MAX_SESSIONS + 1 }, () => sessions.open(sessions.link(by).secret, 'x')?.cookie)
  expect(sessions.list()).toHaveLength(MAX_SESSIONS)
  expect(sessions.principal(cookies[0] as string)).toBeUndefined()
  expect(sessions.principal(cookies[1] as string)?.scope).toBe('read')
})

test('pages: may load and ask only what this node serves, and no frame may hold them', async ({ it }) => {
  const { headers } = await it.ask('/dashboard/anything', { token: null })
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})
