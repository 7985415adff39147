import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createAudit } from '../../../src/api/access/audit.ts'
import { openTokens } from '../../../src/api/access/tokens.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { announcementOf } from '../../fixtures/node/fake-node.ts'
import { type apiInMemory, test as base, nextText, openStream } from './harness.ts'

type It = ReturnType<typeof apiInMemory>

const test = base.extend('folder', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'tc-access-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
})

async function tokenFor(it: It, scope: string, seconds = 3600) {
  const body = JSON.stringify({ name: `for ${scope}`, scope, seconds })
  const made = await it.json('/tokens', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return made as { secret: string; token: { id: string; scope: string } }
}

test.for([
  ['read', { read: 200, publish: 403, operate: 403 }],
  ['publish', { read: 200, publish: 415, operate: 403 }],
  ['operate', { read: 200, publish: 415, operate: 200 }],
] as const)('a token with the scope %s may what that scope includes', async ([scope, allowed], { it }) => {
  const { secret } = await tokenFor(it, scope)
  expect((await it.ask('/services', { token: secret })).status).toBe(allowed.read)
  // no Content-Type: what is allowed is refused for that alone
  expect((await it.ask('/archive', { method: 'POST', token: secret })).status).toBe(allowed.publish)
  for (const path of ['/reload', '/undrain', '/code/gc']) {
    expect((await it.ask(path, { method: 'POST', token: secret })).status).toBe(allowed.operate)
  }
  expect((await it.ask('/tokens', { token: secret })).status).toBe(allowed.operate)
  expect(it.node.reloads).toBe(allowed.operate === 200 ? 1 : 0)
})

test('a refusal is a problem document that names the scope', async ({ it }) => {
  const { secret } = await tokenFor(it, 'read')
  const answer = await it.ask('/reload', { method: 'POST', token: secret })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toMatchObject({
    status: 403,
    code: 'forbidden',
    detail: expect.stringContaining('operate'),
  })
  expect(await it.json('/services', { token: 'wrong' })).toMatchObject({
    ...{ type: 'urn:thundercloud:problem:unauthenticated', code: 'unauthenticated' },
    fix: expect.stringContaining('thundercloud dashboard'),
  })
})

test('a token that expires or is revoked ends, with its streams, its links and its sessions', async ({ it }) => {
  const brief = await tokenFor(it, 'read', 60)
  const reader = await openStream(it.ask('/events', { token: brief.secret }))
  expect(await nextText(reader)).toContain('event: open')
  await it.clock.advance(70_000)
  expect((await it.ask('/services', { token: brief.secret })).status).toBe(401)
  for (let text = await nextText(reader); text !== '<end>'; text = await nextText(reader)) expect(text).toBe(':\n\n')

  const { secret, token } = await tokenFor(it, 'read')
  const link = async () => (await it.json('/sessions/link', { method: 'POST', token: secret })) as { path: string }
  const exchange = async (path: string) =>
    it.ask('/session', {
      ...{ method: 'POST', token: null, body: JSON.stringify({ secret: path.split('=')[1] }) },
      headers: { 'x-thundercloud': '1' },
    })
  const cookie = (await exchange((await link()).path)).headers.get('set-cookie')?.split(';')[0] as string
  expect((await it.ask('/services', { token: null, headers: { cookie } })).status).toBe(200)
  const unused = await link()
  expect((await it.ask(`/tokens/${token.id}/revoke`, { method: 'POST' })).status).toBe(200)
  expect((await it.ask('/services', { token: secret })).status).toBe(401)
  expect((await it.ask('/services', { token: null, headers: { cookie } })).status).toBe(401)
  expect((await exchange(unused.path)).status).toBe(401)
  expect((await it.ask('/tokens/unknown/revoke', { method: 'POST' })).status).toBe(404)
})

test('tokens are kept as digests, in a file that only its owner reads, and are there after a restart', async ({
  folder,
}) => {
  const path = join(folder, 'api-tokens.json')
  const init = { clock: manualClock(), rng: seededRng('tokens'), path }
  const first = await openTokens(init)
  const { secret, token } = await first.create({ name: 'x\u001b[31m', scope: 'publish', seconds: 60 })
  first[Symbol.dispose]()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readFile(path, 'utf8')).not.toContain(secret.slice(3))
  using second = await openTokens(init)
  expect(second.principal(secret)).toMatchObject({ id: token.id, scope: 'publish' })
  expect(token.name).not.toContain('\u001b')
  await second.revoke(token.id)
  using third = await openTokens(init)
  expect(third.principal(secret)).toBeUndefined()
})

test('the audit log says who did what, and has a bound', async ({ it, folder }) => {
  const { secret, token } = await tokenFor(it, 'operate')
  await it.ask('/reload', { method: 'POST', token: secret })
  await it.ask('/services', { token: secret })
  expect(await it.json('/audit?limit=2')).toMatchObject({
    entries: [
      { by: 'token', id: token.id, method: 'POST', path: '/reload', status: 200 },
      { by: 'token', id: 'operator', method: 'POST', path: '/tokens', status: 200 },
    ],
  })
  expect((await it.ask('/audit?limit=0')).status).toBe(400)
  const path = join(folder, 'audit.jsonl')
  const audit = createAudit({ clock: it.clock, log: silentLog(), path })
  const entry = { by: 'socket', id: 'operator', method: 'POST', path: `/${'x'.repeat(199)}`, status: 200 } as const
  for (let count = 0; count < 200; count++) audit.add({ ...entry, status: count })
  expect((await audit.newest(3)).map(({ status }) => status)).toEqual([199, 198, 197])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('the audit log has publications, and what a token was refused; it has nothing of strangers', async ({ it }) => {
  const { secret, token } = await tokenFor(it, 'read')
  await it.ask('/reload', { method: 'POST', token: secret })
  await it.ask('/reload', { method: 'POST', token: 'wrong' })
  await it.ask('/service', { method: 'POST', token: null, body: 'x' })
  const { bytes } = announcementOf(it.node.signer, { clock: it.clock })
  const headers = { 'content-type': 'application/cbor' }
  expect((await it.ask('/service', { method: 'POST', headers, body: bytes })).status).toBe(202)
  const { entries } = await it.json('/audit')
  expect(entries).toMatchObject([
    { id: 'operator', method: 'POST', path: '/service', status: 202 },
    { id: token.id, method: 'POST', path: '/reload', status: 403 },
    { id: 'operator', method: 'POST', path: '/tokens', status: 200 },
  ])
  expect((entries as unknown[]).length).toBe(3)
})
