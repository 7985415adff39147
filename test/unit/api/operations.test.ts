import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import type { AlertView } from '../../../src/alerts/index.ts'
import { nowSeconds } from '../../../src/base/clock.ts'
import { collect, once, packFiles } from '../../fixtures/code/stores.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { testNodeCode } from '../../fixtures/node/node-code.ts'
import { delegationBy } from '../../fixtures/trust/statements.ts'
import { apiInMemory, test } from './harness.ts'

type It = ReturnType<typeof apiInMemory>

const fill = (path: string) => path.replaceAll(/\{\w+\}/g, 'x')
const json = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { 'Content-Type': 'application/json' },
})

test('each operation that needs a scope refuses who has no token, and a page of another origin', async ({ it }) => {
  const operations = (await it.document).operations.filter(({ needsToken }) => needsToken)
  expect(operations.length).toBeGreaterThan(40)
  for (const { name, method, path } of operations) {
    const request = { method: method.toUpperCase() }
    expect((await it.ask(fill(path), { ...request, token: null })).status, name).toBe(401)
    const foreign = await it.ask(fill(path), { ...request, headers: { origin: 'http://elsewhere.example' } })
    expect(foreign.status, name).toBe(403)
  }
})

test('each operation declares that an address may ask too often', async ({ it }) => {
  for (const { name, described } of (await it.document).operations) {
    expect(Object.keys(described.responses), name).toContain('429')
  }
})

test('no path or query has a secret, which logs of proxies would keep', async ({ it }) => {
  const names = (await it.document).operations.flatMap(({ described }) =>
    (described.parameters ?? []).map(({ name }) => name),
  )
  expect(names).toContain('kind')
  expect(names.filter((name) => /secret|token|pass|key|cookie|auth(?!or)/i.test(name))).toEqual([])
})

test('each operation succeeds where its request is right, and answers as the document says', async () => {
  const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'a 1\n' }
  const alerts = { list: () => ALERTS, test: async () => ({ tookMs: 1, problem: 'it answers HTTP 500' }) }
  using it = apiInMemory(undefined, { metrics, alerts })
  const rightRequests = await requestsOf(it)
  const { operations } = await it.document
  const names = operations.map(({ name }) => name)
  expect(Object.keys(rightRequests).filter((name) => !names.includes(name))).toEqual([])
  for (const { name, method, path } of operations) {
    const { path: filled = path, ...request } = rightRequests[name] ?? {}
    const answer = await it.ask(filled, { ...request, method: method.toUpperCase() })
    expect(answer.status, `${name}: ${answer.ok ? '' : await answer.text()}`).toBeLessThan(300)
    await answer.body?.cancel()
  }
})

type Requests = Record<string, RequestInit & { path?: string; token?: null }>

/** What is not the operation's bare path. They are asked in the order of the document. */
async function requestsOf(it: It): Promise<Requests> {
  const { id } = await it.receive()
  const tar = await collect(packFiles([{ path: 'a', content: 'a' }]))
  const code = await keepCode(it, tar)
  leaveResults(it, id, tar)
  const author = formatAddress(newSigner().address)
  const cbor = (body: Uint8Array) => ({ body, headers: { 'Content-Type': 'application/cbor' } })
  const statement = cbor(delegationBy(it.node.signer, newSigner(), it))
  const { cookie, session } = await openSession(it)
  const { token } = (await it.json('/tokens', { method: 'POST', ...json(TOKEN_WANTED) })) as { token: { id: string } }
  await it.ask('/policy', { method: 'POST', ...json({}) })
  await it.ask('/pools', { method: 'POST', ...json({ ...POOL, name: 'first', dataBytes: 2 ** 30 }) })
  const tunnel = await it.json(`/service/${id}/tunnel?port=http`, { method: 'POST' })
  const of = (path: string) => ({ path: path.replace('{id}', id).replace('{code}', code) })
  return {
    'get /service/{id}': of('/service/{id}'),
    'get /service/{id}/explain': of('/service/{id}/explain?history=true'),
    'get /service/{id}/logs': of('/service/{id}/logs'),
    'get /service/{id}/usage': of('/service/{id}/usage?run=run'),
    'get /service/{id}/results': of('/service/{id}/results'),
    'get /service/{id}/results/archive': of('/service/{id}/results/archive'),
    'post /service/{id}/ask': of('/service/{id}/ask'),
    'post /service/{id}/stop': of('/service/{id}/stop'),
    // what the next ones ask for stays
    'post /code/gc': { path: '/code/gc?dryRun=true' },
    'get /code/{code}': of('/code/{code}'),
    'get /code/{code}/archive': of('/code/{code}/archive'),
    'post /code/{code}/fetch': of('/code/{code}/fetch'),
    'get /session': { token: null, headers: { cookie } },
    'post /session': await openingOf(it),
    'post /sessions/{id}/revoke': { path: `/sessions/${session}/revoke` },
    'post /tokens': json(TOKEN_WANTED),
    'post /tokens/{id}/revoke': { path: `/tokens/${token.id}/revoke` },
    'post /service': cbor(announcementOf(newSigner(), it).bytes),
    'post /statement': statement,
    'post /statement/preview': statement,
    'post /archive': { body: tar, headers: { 'Content-Type': 'application/x-tar' } },
    'post /policy': json({}),
    'get /policy/history/{number}': { path: '/policy/history/1' },
    'post /policy/history/{number}/revert': { path: '/policy/history/1/revert' },
    'post /policy/check': json({}),
    'post /policy/preview': json({}),
    'post /service/{id}/tunnel': of('/service/{id}/tunnel?port=http'),
    'post /tunnels/{id}/close': { path: `/tunnels/${String(tunnel.id)}/close` },
    'post /pools': json({ ...POOL, name: 'second' }),
    'post /pools/{name}/remove': { path: '/pools/first/remove' },
    'post /pools/{name}/data/remove': { path: '/pools/first/data/remove?service=words' },
    'post /blocks/{kind}/{subject}': { path: `/blocks/author/${author}` },
    'post /blocks/{kind}/{subject}/remove': { path: `/blocks/author/${author}/remove` },
  }
}

const ALERTS: readonly AlertView[] = [
  {
    ...{ alert: 'disk-low', by: 'webhook', target: 'https://hooks.example', waiting: 1 },
    faults: [{ subject: '', summary: 'full', next: 'thundercloud code gc', since: 1 }],
    unreported: 0,
    last: { state: 'begun', outcome: 'waiting', attempts: 2, at: 1, problem: 'it answers HTTP 500' },
    ...{ delivered: 0, failed: 0, dropped: 0 },
  },
]
const TOKEN_WANTED = { name: 'grafana', scope: 'read', seconds: 60 }
const POOL = { image: 'node:26', memoryBytes: 2 ** 28, cpuMillicores: 500, pids: 64 }

async function keepCode(it: It, tar: Uint8Array): Promise<string> {
  const { nodeCode, addTar } = await testNodeCode()
  it.node.code = nodeCode
  return (await addTar(once(tar))).code.toString()
}

/** A task has left something here. */
function leaveResults(it: It, service: string, tar: Uint8Array): void {
  const at = nowSeconds(it.clock)
  const kept = { service, name: 'hello', bytes: tar.byteLength, files: 1, complete: true, at, expires: at + 60 }
  Object.assign(it.node, { results: { get: () => kept, read: async () => once(tar) } })
}

async function openingOf(it: It): Promise<Requests[string]> {
  const { path } = await it.json('/sessions/link', { method: 'POST' })
  const headers = { 'Content-Type': 'application/json', 'X-Thundercloud': '1' }
  return { token: null, headers, body: JSON.stringify({ secret: String(path).split('login=')[1] }) }
}

async function openSession(it: It): Promise<{ cookie: string; session: string }> {
  const answer = await it.ask('/session', { ...(await openingOf(it)), method: 'POST' })
  const { session } = (await answer.json()) as { session: { id: string } }
  return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '', session: session.id }
}
