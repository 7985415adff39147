import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { type apiInMemory, test } from './harness.ts'

type It = ReturnType<typeof apiInMemory>

const apply = (it: It, text: string, token?: string) =>
  it.ask('/policy', {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json' },
    ...(token && { token }),
  })
const tokenOf = async (it: It, name: string, scope: string) => {
  const body = JSON.stringify({ name, scope, seconds: 60 })
  const made = await it.json('/tokens', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  return String(made.secret)
}

test('the history names the token or the session that put a policy in force', async ({ it }) => {
  await apply(it, '{}')
  await apply(it, '{"KEYWORDS":["web"]}', await tokenOf(it, 'ann', 'operate'))
  const { path } = await it.json('/sessions/link', { method: 'POST' })
  const headers = { 'Content-Type': 'application/json', 'X-Thundercloud': '1' }
  const body = JSON.stringify({ secret: String(path).split('login=')[1] })
  const opened = await it.ask('/session', { method: 'POST', token: null, headers, body })
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  const revert = (more: object) =>
    it.ask('/policy/history/1/revert', { method: 'POST', token: null, headers: { cookie, ...more } })
  // what a form of another page can send changes nothing
  expect((await revert({})).status).toBe(403)
  expect((await revert({ 'X-Thundercloud': '1', 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect(it.node.applied).toHaveLength(2)
  expect((await revert({ 'X-Thundercloud': '1' })).status).toBe(200)
  const { policies } = (await it.json('/policy/history')) as { policies: { number: number; by: object }[] }
  expect(policies.map(({ number, by }) => [number, by])).toEqual([
    [3, { kind: 'session', id: expect.any(String), label: 'operator' }],
    [2, { kind: 'token', id: expect.any(String), label: 'ann' }],
    [1, { kind: 'token', id: 'operator', label: 'operator' }],
  ])
})

test('who may not change the policy sees no text of it, old or new, and reverts nothing', async ({ it }) => {
  await apply(it, '{"KEYWORDS":["secret"]}')
  await apply(it, '{}')
  for (const scope of ['read', 'publish']) {
    const token = await tokenOf(it, scope, scope)
    for (const [method, path] of [
      ['GET', '/policy/text'],
      ['GET', '/policy/history'],
      ['GET', '/policy/history/1'],
      ['POST', '/policy/history/1/revert'],
    ] as const) {
      const answer = await it.ask(path, { method, token })
      expect([path, answer.status]).toEqual([path, 403])
      expect(await answer.text()).not.toContain('"secret"')
    }
  }
  expect(it.node.applied).toHaveLength(2)
})

test('a revert replaces the text that it was made for, and nothing else', async ({ it }) => {
  await apply(it, '{"KEYWORDS":["old"]}')
  await apply(it, '{}')
  const ask = (etag: string) => it.ask('/policy/history/1/revert', { method: 'POST', headers: { 'If-Match': etag } })
  const digest = (text: string) => `"${createHash('sha256').update(text).digest('hex')}"`
  expect((await ask('x')).status).toBe(400)
  expect((await ask(digest('{"KEYWORDS":["other"]}'))).status).toBe(409)
  expect(it.node.applied).toHaveLength(2)
  expect((await ask(digest('{}'))).status).toBe(200)
  for (const number of ['0', '-1', '99', '1e0', 'x'.repeat(4_000), '%00', '%2e%2e']) {
    expect((await it.ask(`/policy/history/${number}`)).status).toBe(404)
    expect((await it.ask(`/policy/history/${number}/revert`, { method: 'POST' })).status).toBe(404)
  }
})
