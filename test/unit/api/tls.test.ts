import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { expect, vi } from 'vitest'
import { MAX_CONNECTIONS_PER_ADDRESS, MAX_REQUESTS_PER_ADDRESS, TLS_LOOK_MS } from '../../../src/api/constants.ts'
import { createApiClient, serveApi } from '../../../src/api/index.ts'
import type { RateLimits } from '../../../src/api/rate-limits.ts'
import { openTlsFiles, type TlsPaths } from '../../../src/api/tls-files.ts'
import { createLog, silentLog } from '../../../src/base/log.ts'
import { PATIENCE } from '../../fixtures/node/nodes.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { test as base } from './harness.ts'

const LINE = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

/** A certificate that signs itself, in NAME.pem and NAME.key. */
function certify(folder: string, name: string): { cert: string; key: string } {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  const out = [
    '-keyout',
    files.key,
    '-out',
    files.cert,
    '-subj',
    `/CN=${name}`,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ]
  execFileSync('openssl', ['req', ...LINE, ...out], { stdio: 'pipe' })
  chmodSync(files.key, 0o600)
  return files
}

const test = base.extend('tls', async ({ it, onTestFinished }) => {
  const folder = await tempDir()
  const paths = certify(folder, 'first')
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) })
  const files = await openTlsFiles({ clock: it.clock, log }, paths)
  const served = await serveApi(it.api, '127.0.0.1', 0, { tls: files })
  onTestFinished(async () => {
    files[Symbol.dispose]()
    await served[Symbol.asyncDispose]()
  })
  return { ...it, ...served, paths, files, lines, folder }
})

async function statusOf(url: string, ca: Buffer): Promise<number | undefined> {
  const [answer] = (await once(request(url, { ca }).end(), 'response')) as [IncomingMessage]
  answer.destroy()
  return answer.statusCode
}

/** Whose certificate a new connection is shown. */
async function nameAt(port: number): Promise<unknown> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return CN
}

test('the API over TLS: answers, its cookie is secure, and nothing is said without TLS', async ({ tls: it }) => {
  expect(it.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(await statusOf(`${it.url}/node`, readFileSync(it.paths.cert))).toBe(200)
  const { path } = await it.json('/sessions/link', { method: 'POST' })
  const body = JSON.stringify({ secret: String(path).split('login=')[1] })
  const headers = { 'content-type': 'application/json', 'x-thundercloud': '1' }
  const login = request(`${it.url}/session`, { method: 'POST', headers, ca: readFileSync(it.paths.cert) })
  const [opened] = (await once(login.end(body), 'response')) as [IncomingMessage]
  expect(opened.headers['set-cookie']?.[0]).toMatch(/; Secure/)
  opened.destroy()
  await expect(fetch(it.url.replace('https', 'http'))).rejects.toThrow('fetch failed')
})

const CLIENT = new URL('../../../src/api/client/client.ts', import.meta.url).href
const ASK = `const { createApiClient } = await import('${CLIENT}'); console.log((await createApiClient({ url: process.argv[1] }).node()).peerId)`

test('a client that knows no authority of the certificate says what helps, and that helps', async ({ tls: it }) => {
  const refused = await createApiClient({ url: it.url }).node().catch(String)
  expect(refused).toMatch(/^NoDaemonError: .*\(self-signed certificate\); name the PEM file .* in NODE_EXTRA_CA_CERTS$/)
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: it.paths.cert }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', ASK, it.url], { env })
  expect(stdout).toBe(`${(await it.json('/node')).peerId}\n`)
})

test('changed files are read again; a key that does not fit leaves the ones before', async ({ tls: it }) => {
  expect(await nameAt(it.port)).toBe('first')
  const second = certify(it.folder, 'second')
  copyFileSync(second.cert, it.paths.cert)
  await it.clock.advance(TLS_LOOK_MS)
  await vi.waitFor(() => expect(it.lines.join()).toContain('cannot be used; the one before stays'), PATIENCE)
  expect(await nameAt(it.port)).toBe('first')
  copyFileSync(second.key, it.paths.key)
  await it.clock.advance(TLS_LOOK_MS)
  await vi.waitFor(() => expect(it.lines.join()).toContain('was read again'), PATIENCE)
  expect(await nameAt(it.port)).toBe('second')
  expect(it.lines.join()).not.toContain('PRIVATE KEY')
})

test('connections of an address are bounded before their handshake, and its requests after it', async ({ tls: it }) => {
  const sockets = Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS + 1 }, () => connect(it.port, '127.0.0.1'))
  // one of them, which said nothing, gives way; all the others wait for their handshake
  await Promise.race(sockets.map((socket) => once(socket, 'close')))
  expect(sockets.filter(({ closed }) => closed)).toHaveLength(1)
  for (const socket of sockets) socket.destroy()
  const ca = readFileSync(it.paths.cert)
  const headers = { 'content-type': 'application/cbor', 'content-length': 10 }
  const slow = Array.from({ length: MAX_REQUESTS_PER_ADDRESS }, () => {
    const begun = request(`${it.url}/service`, { method: 'POST', ca, headers }).on('error', () => {})
    begun.flushHeaders()
    return begun
  })
  await vi.waitFor(async () => expect(await statusOf(`${it.url}/node`, ca)).toBe(429), PATIENCE)
  for (const begun of slow) begun.destroy()
  const over: RateLimits = { take: () => 7 }
  await using served = await serveApi(it.api, '127.0.0.1', 0, { tls: it.files, rates: over })
  expect(await statusOf(`${served.url}/node`, ca)).toBe(429)
})

test('a key that others may read, a missing file and a pair that does not fit are refused', async ({ tls: it }) => {
  const open = (paths: TlsPaths) => openTlsFiles({ clock: it.clock, log: silentLog() }, paths)
  const other = certify(it.folder, 'other')
  await expect(open({ ...it.paths, key: other.key })).rejects.toThrow(/first\.pem and .*other\.key are no certificate/)
  await expect(open({ ...it.paths, cert: `${other.cert}x` })).rejects.toThrow(/API_TLS\.CERT .*name PEM files/)
  chmodSync(other.key, 0o640)
  await expect(open(other)).rejects.toThrow(/API_TLS\.KEY .* can be read by others .* run `chmod 600/)
})
