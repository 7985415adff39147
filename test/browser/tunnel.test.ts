import { get } from 'node:http'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { launchBrowser, picture, seriousFaults } from '../fixtures/browser/browser.ts'
import { openDashboard, tarOf } from '../fixtures/browser/node.ts'
import { test, waitForState } from '../fixtures/node/mesh.ts'
import { PATIENCE } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'

const seconds = { timeout: PATIENCE }
/** A service that says what it was sent, and tries to be the page of another origin. */
const MIRROR = `require('node:http').createServer((request, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<h1>mirror</h1><pre>' + JSON.stringify(request.headers) + '</pre>')
}).listen(8080, '127.0.0.1')
`

describe.skipIf(!(needs('browser') && needs('bubblewrap')))('a tunnel, from a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('is opened with the keyboard, leads to the service without the session, and ends with it', async ({ mesh }) => {
    await using it = await openDashboard(browser, mesh)
    const { page } = it
    const code = (await it.other.addArchive(tarOf({ 'main.js': MIRROR }))).code
    const run = { command: ['node', 'main.js'], kind: 'service', ports: [{ name: 'http', port: 8080, access: 'any' }] }
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'mirror', run })
    await waitForState(it.node, id, 'running')
    await expect.poll(() => it.node.service(id).run?.healthy, seconds).toBe(true)
    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    await page.getByRole('button', { name: 'Connect', exact: true }).press('Enter', seconds)
    const dialog = page.getByRole('dialog')
    await dialog.getByText(`thundercloud connect ${id}:http`).waitFor(seconds)
    await dialog.getByRole('button', { name: 'Open a tunnel to port http' }).press('Enter')
    const link = dialog.getByRole('link')
    await link.waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'tunnel')

    const popup = page.context().waitForEvent('page')
    await link.press('Enter')
    const opened = await popup
    await opened.getByRole('heading', { name: 'mirror' }).waitFor(seconds)
    // the browser shows the service neither the session nor where it came from
    const headers = JSON.parse((await opened.locator('pre').textContent()) ?? '') as Record<string, string>
    expect(headers.host).toBe(await link.textContent())
    expect([headers.cookie, headers.referer]).toEqual([undefined, undefined])
    expect(await opened.evaluate<boolean>('opener === null')).toBe(true)
    await opened.close()

    const local = (await link.textContent()) ?? ''
    await page.keyboard.press('Escape')
    await page.goto(`${it.dashboard.origin}/dashboard/sessions`)
    await page.getByRole('region', { name: 'Tunnels' }).getByRole('link', { name: local }).waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'sessions')
    expect(await statusOf(local)).toBe(200)
    await page.getByRole('button', { name: /^Sign out/ }).press('Enter')
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor(seconds)
    await expect.poll(() => statusOf(local), seconds).toBe('ECONNREFUSED')
    expect(it.faults.filter((fault) => !fault.includes('401'))).toEqual([])

    // also one that runs elsewhere: the other node asks the one that runs it
    const pipe = await it.other.connect(id, 'http')
    pipe.write('GET / HTTP/1.0\r\n\r\n')
    expect(String(await new Promise((resolve) => pipe.once('data', resolve)))).toMatch(/^HTTP\/1\.1 200/)
    pipe.destroy()
  })
})

function statusOf(local: string): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    get(`http://${local}/`, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    }).on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
  })
}
