import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { ROOT } from '../../../build.ts'
import { test } from '../harness.ts'

const BUILT = join(ROOT, 'dist/dashboard')
const ANYONE = { token: null }
const SCRIPT = readdirSync(join(BUILT, 'assets')).find((name) => /^index-.*\.js$/.test(name)) as string

test('the dashboard is one page, whatever it shows, with a policy that allows nothing inline and nothing from elsewhere', async ({
  it,
}) => {
  for (const path of ['/dashboard/', '/dashboard/services', '/dashboard/service/bafyreiabc']) {
    const response = await it.ask(path, ANYONE)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const html = await response.text()
    expect(html).not.toMatch(/<style|<script(?![^>]* src="\/dashboard\/)|\son\w+=|style=/)
  }
})

test('what has not changed is not sent again, and what never changes is not asked for again', async ({ it }) => {
  const page = await it.ask('/dashboard/', ANYONE)
  const again = await it.ask('/dashboard/', { ...ANYONE, headers: { 'if-none-match': page.headers.get('etag') ?? '' } })
  expect([again.status, await again.text()]).toEqual([304, ''])
  const script = await it.ask(`/dashboard/assets/${SCRIPT}`, ANYONE)
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  const head = await it.ask(`/dashboard/assets/${SCRIPT}`, { ...ANYONE, method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('a file is sent in the form that the client takes', async ({ it }) => {
  const plain = readFileSync(join(BUILT, 'assets', SCRIPT))
  const ask = async (accepts: string) => {
    const response = await it.ask(`/dashboard/assets/${SCRIPT}`, { ...ANYONE, headers: { 'accept-encoding': accepts } })
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
    return { form: response.headers.get('content-encoding'), body: Buffer.from(await response.arrayBuffer()) }
  }
  const brotli = await ask('gzip, deflate, br')
  expect(brotli.form).toBe('br')
  expect(brotliDecompressSync(brotli.body)).toEqual(plain)
  const gzip = await ask('br;q=0, gzip')
  expect(gzip.form).toBe('gzip')
  expect(gunzipSync(gzip.body)).toEqual(plain)
  expect(await ask('identity')).toEqual({ form: null, body: plain })
})

test('no path leads out of the folder, and nothing is served that was not built', async ({ loopback }) => {
  const paths = [
    '/dashboard/../openapi.json.ts',
    '/dashboard/..%2f..%2fpackage.json',
    '/dashboard/%2e%2e/%2e%2e/package.json',
    '/dashboard/assets/..%5c..%5cpackage.json',
    '/dashboard//etc/passwd',
    '/dashboard/index.html',
    '/dashboard/index.html.br',
    `/dashboard/assets/${SCRIPT}.br`,
    `/dashboard/assets/${SCRIPT}%00.css`,
    '/dashboard/licenses.md',
    '/dashboard/services/a/b',
    '/dashboard/.built',
  ]
  for (const path of paths) expect([path, await statusOf(loopback.served.url, path)]).toEqual([path, 404])
})

test('the root leads to the dashboard', async ({ it }) => {
  const response = await it.ask('/', ANYONE)
  expect([response.status, response.headers.get('location')]).toEqual([302, '/dashboard/'])
})

/** As it is written here: `fetch` would tidy the path. */
function statusOf(url: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { path, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
