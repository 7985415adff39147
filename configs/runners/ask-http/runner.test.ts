/** Run with: node --test runner.test.ts (in the repository: with --conditions=thundercloud-source) */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { assertRunner, decide, type OpenRunner, openRunner } from 'thundercloud/runner-kit'

const file = new URL('./runner.ts', import.meta.url)
const LIMITS = { TOTAL: { MEMORY: '1GiB', CPU: '1', DISK: '1GiB', PIDS: 64, RUNS: 2 } }
const policy = { PREFER_TOOLCHAIN: { docker: ['node.js'] }, LIMITS }

/** What the other side says next. */
let reply: (response: ServerResponse) => void = () => {}
const requests: unknown[] = []
const server = createServer(async (request, response) => {
  const pieces = await request.toArray()
  requests.push(JSON.parse(Buffer.concat(pieces).toString()))
  reply(response)
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const config = { ...policy, CUSTOM: { URL: `http://127.0.0.1:${port}/ask`, TIMEOUT_MS: 300 } }

const runner: OpenRunner = await openRunner(file, { config, network: true })
after(async () => {
  await runner.close()
  server.closeAllConnections()
  server.close()
})

const says =
  (body: string, status = 200) =>
  (response: ServerResponse) =>
    void response.writeHead(status).end(body)

test('keeps the contract of runners', async (t) => {
  reply = says('{"run":true}')
  t.diagnostic((await assertRunner(file, { config, network: true, accepts: {} })).text)
})

test('runs what the other side allows, and tells it what it asks about', async () => {
  reply = says('{"run":true}')
  requests.length = 0
  const { run } = await runner.decide({ name: 'hello' })
  assert.notEqual(run, false)
  assert.deepEqual(Object.keys(requests[0] as object), ['service', 'code', 'author', 'name'])
})

test('does not ask about what Andromeda refuses', async () => {
  requests.length = 0
  assert.equal((await runner.decide({ toolchain: ['cobol'] })).run, false)
  assert.deepEqual(requests, [])
})

const refusals: Record<string, [typeof reply, RegExp]> = {
  no: [says('{"run":false,"why":"not today"}'), /does not say yes: not today$/],
  'an error': [says('{"run":true}', 500), /status 500/],
  'a redirect': [(response) => void response.writeHead(302, { location: '/yes' }).end(), /cannot be reached/],
  garbage: [says('<html>'), /no JSON/],
  'something like yes': [says('{"run":"true"}'), /neither true nor false/],
  nothing: [says(''), /no JSON/],
  null: [says('null'), /neither true nor false/],
  'a huge answer': [
    (response) => void response.end(`{"run":true,"x":"${'x'.repeat(1 << 20)}"}`),
    /more than 4096 bytes/,
  ],
  'a hang': [() => {}, /no answer within 300 ms/],
  'an answer that never ends': [(response) => void response.writeHead(200).write('{"run":'), /no answer within 300 ms/],
}

for (const [name, [answer, sentence]] of Object.entries(refusals)) {
  test(`takes ${name} for a no, and redirects the service`, async () => {
    reply = answer
    const { run, redirect, reasons } = await runner.decide()
    assert.deepEqual({ run, redirect }, { run: false, redirect: true })
    assert.match(reasons[0]?.message ?? '', sentence)
  })
}

test('says what is missing where it may not use the network, or nobody listens', async () => {
  const denied = await decide(file, {}, {}, { config })
  assert.match(denied.reasons[0]?.message ?? '', /"RUNNER_NETWORK": true in services\.json allows it/)
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const CUSTOM = { URL: `http://127.0.0.1:${(gone.address() as AddressInfo).port}/ask` }
  gone.close()
  const refused = await decide(file, {}, {}, { config: { ...policy, CUSTOM }, network: true })
  assert.match(refused.reasons[0]?.message ?? '', /nobody listens there$/)
  assert.deepEqual([denied.run, refused.run], [false, false])
})

test('says what is wrong in CUSTOM when it is loaded', async () => {
  for (const [CUSTOM, sentence] of [
    [{}, /CUSTOM\.URL is undefined; allowed is an address like/],
    [{ URL: 'file:///etc/passwd' }, /CUSTOM\.URL is "file:/],
    [{ URL: 'http://127.0.0.1/', TIMEOUT_MS: 5000 }, /CUSTOM\.TIMEOUT_MS is 5000; allowed is a whole number/],
  ] as const) {
    await assert.rejects(openRunner(file, { config: { CUSTOM } }), sentence)
  }
})
