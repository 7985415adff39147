import { readFile, writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { listFolder, packEntries } from '../../src/code/index.ts'
import { launchBrowser, openPage, seriousFaults } from '../fixtures/browser/browser.ts'
import { openDashboard, TICKING, tarOf } from '../fixtures/browser/node.ts'
import { codeOfEntries, sourceServer } from '../fixtures/code/source-server.ts'
import { type Mesh, ON_HOST, test, waitForState } from '../fixtures/node/mesh.ts'
import { addFolder, HELLO_WEB, PATIENCE } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'

const runnable = needs('browser') && needs('bubblewrap')
const seconds = { timeout: PATIENCE }

describe.skipIf(!runnable)('the dashboard, in a browser, of a real node', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  const open = (mesh: Mesh, runner?: object) => openDashboard(browser, mesh, runner)

  test('a verdict is explained rule by rule, with what would change it', async ({ mesh }) => {
    await using it = await open(mesh, { KEYWORDS: ['bridges'] })
    const { page } = it
    const code = await addFolder(it.other, HELLO_WEB)
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'web-shop', keywords: ['web'] })
    await waitForState(it.node, id, 'redirected')

    await page.getByRole('link', { name: 'Services', exact: true }).click()
    await page.getByRole('link', { name: 'web-shop' }).click(seconds)
    const rule = page.getByRole('row', { name: /keywords/ })
    await rule.getByText('fail', { exact: true }).waitFor(seconds)
    await rule.getByText(/To pass: keywords must be one of bridges/).waitFor(seconds)
    expect(await page.title()).toBe('Service · Thundercloud')
    expect(page.url()).toBe(`${it.dashboard.origin}/dashboard/service/${id}`)
    expect(it.faults).toEqual([])
  })

  test('the page of a service says where its code came from, which source was refused, why, and what came next', async ({
    mesh,
  }) => {
    await using it = await open(mesh, { ALLOWED_STORAGE: ['127.0.0.1'] })
    const { page } = it
    const files = await listFolder(HELLO_WEB)
    const code = (await codeOfEntries(files)).toString()
    const archive = gzipSync(await buffer(packEntries(files)))
    const other = await archiveOf({ 'main.js': TICKING })
    const pages = { '/wrong.tgz': other, '/folder.tgz': archive, '/hello.tgz': archive }
    const { url } = await sourceServer(() => pages)
    const [wrong, folder, hello] = Object.keys(pages).map((path) => ({ type: 'https', url: url + path }))
    const sources = [wrong, { ...folder, path: '\u202e<b>folder' }, hello]
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'web-shop', sources })
    // it is open already while the sources are tried
    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    const card = page.getByRole('region', { name: 'Code' })
    await card.getByText('an HTTPS address').waitFor(seconds)
    await card.getByText(`${url}/hello.tgz`, { exact: true }).first().waitFor(seconds)
    await card.getByText('here', { exact: true }).waitFor(seconds)
    const refused = card.getByRole('region', { name: 'Sources that failed' })
    await refused.getByText(`${url}/wrong.tgz`, { exact: true }).waitFor(seconds)
    await refused.getByText(/^has other files: /).waitFor(seconds)
    await refused.getByText(`Tried next: ${url}/folder.tgz`).waitFor(seconds)
    await refused.getByText(`Tried next: ${url}/hello.tgz`).waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    // what an author wrote is text, and hides nothing
    await refused.getByText('\ufffd<b>folder').first().waitFor({ timeout: 5_000 })
    expect(await card.textContent()).not.toContain('\u202e')
    // the page follows: the code leaves the store, and what its sources said is forgotten with it
    await it.node.stop(id)
    await expect.poll(async () => (await it.node.code.gc()).length, seconds).toBe(1)
    await card.getByText('not here', { exact: true }).waitFor(seconds)
    expect(await refused.count()).toBe(0)
    expect(it.faults).toEqual([])
  })

  test('a session is opened once, by a secret that leaves the address', async ({ mesh }) => {
    await using it = await open(mesh)
    expect(it.page.url()).toBe(`${it.dashboard.origin}/dashboard/`)
    const link = await it.dashboard.link()
    await using first = await openPage(browser, it.dashboard.origin)
    await first.page.goto(link)
    await first.page.getByRole('heading', { name: 'Overview' }).waitFor(seconds)
    await using second = await openPage(browser, it.dashboard.origin)
    await second.page.goto(link)
    await second.page.getByText('thundercloud dashboard', { exact: true }).waitFor(seconds)
    expect(
      await second.page.evaluate('[document.cookie, Object.keys(localStorage).length, sessionStorage.length]'),
    ).toEqual(['', 0, 0])
    // one browser ends the session of another, which says so by itself
    await it.page.getByRole('link', { name: 'Sessions' }).click()
    const others = it.page.getByRole('listitem').filter({ hasNotText: 'this one' })
    await others.getByRole('button', { name: /^End/ }).click(seconds)
    await first.page.getByRole('heading', { name: 'You are signed out' }).waitFor(seconds)
    expect(it.faults).toEqual([])
  })

  test('a policy is edited with the node’s sentences, tried, applied, and its comments stay', async ({ mesh }) => {
    await using it = await open(mesh, { KEYWORDS: ['bridges'] })
    const { page } = it
    const file = mesh.policyFile('node')
    const code = await addFolder(it.other, HELLO_WEB)
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'web-shop', keywords: ['web'] })
    await waitForState(it.node, id, 'redirected')
    await page.getByRole('link', { name: 'Policy', exact: true }).click()
    const text = JSON.parse(await readFile(file, 'utf8')) as object
    const commented = (keywords: unknown) =>
      `// what interests us\n${JSON.stringify({ ...text, KEYWORDS: keywords }, undefined, 2)}`

    await type(page, commented('web'))
    const problem = page.getByRole('listitem').filter({ hasText: 'KEYWORDS' })
    await problem.getByText(/^config.json: KEYWORDS is "web"; allowed is/).waitFor(seconds)
    await problem.getByRole('button', { name: /^line \d+, column 3$/ }).waitFor(seconds)
    await expect.poll(() => page.getByRole('button', { name: 'Apply…' }).isDisabled()).toBe(true)

    await type(page, commented(['web']))
    await page.getByRole('heading', { name: 'The text is right' }).waitFor(seconds)
    await page.getByRole('button', { name: 'Apply…' }).click(seconds)
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 service would change.').waitFor(seconds)
    await dialog.getByText('redirected').first().waitFor(seconds)
    await dialog.getByText('// what interests us').waitFor(seconds)
    await dialog.getByRole('button', { name: 'Put it in force' }).click(seconds)
    await page.getByText('The policy is in force.').waitFor(seconds)
    expect(await readFile(file, 'utf8')).toBe(commented(['web']))
    expect(it.node.policy().facts.config.KEYWORDS).toEqual(['web'])
    await waitForState(it.node, id, 'running')

    // somebody changes the file while it is edited
    await type(page, commented(['web', 'more']))
    await writeFile(file, commented(['elsewhere']))
    await it.node.reload()
    await page.getByText('config.json was changed on the disk since you began.').waitFor(seconds)
    expect(await page.getByRole('button', { name: 'Apply…' }).isDisabled()).toBe(true)
    expect(it.faults).toEqual([])
  })

  test('an archive is dropped, announced, and run by another node, which says so', async ({ mesh }) => {
    await using it = await open(mesh)
    const { page } = it
    const trusting = { ...ON_HOST, KEYWORDS: [], TRUST_TREE: { ROOTS: { [it.node.address]: {} } } }
    await it.other.applyPolicy(await mesh.policyWith('other', trusting))
    await page.getByRole('link', { name: 'Publish', exact: true }).click()
    const archive = {
      name: 'clock.tar.gz',
      mimeType: 'application/gzip',
      buffer: await archiveOf({ 'main.js': TICKING }),
    }
    await page.getByLabel('Archive with the code').setInputFiles(archive)
    await expect.poll(() => page.getByLabel('Command').inputValue(), seconds).toBe('node main.js')
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('clock')
    // the node takes its time: how far it is, and then the content id, are said
    const holds = await Promise.all([hold(page, '**/archive'), hold(page, '**/service')])
    await page.getByRole('button', { name: 'Sign and announce' }).click()
    await page.getByText('The browser sends the code to the node.').waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    holds[0].release()
    const entry = { path: 'main.js', executable: false, size: TICKING.length, open: () => [Buffer.from(TICKING)] }
    const code = (await codeOfEntries([entry])).toString()
    await page.getByText('The code is', { exact: false }).getByTitle(code).waitFor(seconds)
    expect(await page.getByRole('progressbar', { name: 'Sent to the node' }).getAttribute('value')).toBe('1')
    holds[1].release()
    await page.getByRole('heading', { name: /^clock/ }).waitFor(seconds)
    await page.getByLabel('At other nodes').getByText('running', { exact: true }).waitFor(seconds)
    await page.getByRole('link', { name: 'why it runs, or does not' }).click()
    await page.getByText('It runs on 1 node; 1 run wanted.').waitFor(seconds)
    expect(it.faults).toEqual([])
  })

  test('a log is followed while the service writes it', async ({ mesh }) => {
    await using it = await open(mesh)
    const { page } = it
    const code = (await it.other.addArchive(tarOf({ 'main.js': TICKING }))).code
    const run = { command: ['node', 'main.js'], kind: 'service' }
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'ticker', run })
    await waitForState(it.node, id, 'running')
    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    const log = page.getByRole('log')
    await log.getByText('tick 3', { exact: true }).waitFor(seconds)
    const next = Number(/tick (\d+)$/.exec((await log.textContent())?.trim() ?? '')?.[1]) + 3
    await log.getByText(`tick ${next}`, { exact: true }).waitFor(seconds)
    expect(it.faults).toEqual([])
  })

  test('a lost connection is shown at once, and found again by itself', async ({ mesh }) => {
    await using it = await open(mesh)
    const { page } = it
    await page.getByText('Live', { exact: true }).waitFor(seconds)
    it.dashboard.cut()
    await page.getByText('The connection to the node is lost.').waitFor({ timeout: 2_000 })
    await page.getByText('Not connected').waitFor(seconds)
    const id = await mesh.publish(it.node, { author: it.author, name: 'came-meanwhile' })
    await it.dashboard.join()
    await page.getByText('Live', { exact: true }).waitFor(seconds)
    expect(await page.getByText('The connection to the node is lost.').count()).toBe(0)
    await page.getByRole('link', { name: 'Services', exact: true }).click()
    await page.getByRole('link', { name: 'came-meanwhile' }).waitFor(seconds)
    expect(id).not.toBe('')
    // the browser itself writes of each request that fails
    expect(it.faults.filter((fault) => !/ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|ERR_SOCKET/.test(fault))).toEqual([])
  })
})

/** Keeps the first request there from the node until it is released. */
async function hold(page: Page, url: string) {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(
    url,
    async (route) => {
      await promise
      await route.continue()
    },
    { times: 1 },
  )
  return { release: () => resolve() }
}

/** As a person who selects all and types. */
async function type(page: Page, text: string): Promise<void> {
  await page.getByLabel('Text of the policy, config.json').click(seconds)
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(text)
}

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  return gzipSync(await buffer(tarOf(files)))
}
