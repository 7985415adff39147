import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { launchBrowser, picture, seriousFaults } from '../fixtures/browser/browser.ts'
import { openDashboard } from '../fixtures/browser/node.ts'
import { test, waitForState } from '../fixtures/node/mesh.ts'
import { newSigner, PATIENCE } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'

const seconds = { timeout: PATIENCE }
/** At most as often as a person would. */
const MAX_TABS = 80

describe.skipIf(!needs('browser'))('with the keyboard alone', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('whatever is named leads to its place: author, code, signer, peer', async ({ mesh }) => {
    await using it = await openDashboard(browser, mesh, { KEYWORDS: ['nothing of it'] })
    const { page } = it
    const id = await mesh.publish(it.other, { author: it.author, name: 'first', keywords: ['web'] })
    await mesh.publish(it.other, { author: newSigner(), name: 'of-another', keywords: ['web'] })
    await waitForState(it.node, id, 'redirected')
    const { author, code } = it.node.service(id)
    const place = () => page.url().slice(it.dashboard.origin.length)

    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    await page.getByRole('heading', { name: /^first/ }).waitFor(seconds)
    await follow(page, /^author /)
    await page.getByText('1 service shown').waitFor(seconds)
    expect(place()).toBe(`/dashboard/services?author=${author}`)
    await follow(page, /^first$/)
    await page.getByRole('heading', { name: /^first/ }).waitFor(seconds)
    await follow(page, /^code /)
    await page.getByText('Services with this code').waitFor(seconds)
    expect(place()).toBe(`/dashboard/code/${code}`)
    await page.getByRole('link', { name: 'of-another' }).waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'code')

    await page.goto(`${it.dashboard.origin}/dashboard/trust`)
    await page.getByRole('heading', { name: 'Trust', exact: true }).waitFor(seconds)
    await follow(page, new RegExp(`^${author.slice(0, 6)}…`))
    await page.getByText('Those of', { exact: false }).waitFor(seconds)
    await page.getByRole('status').getByText('in', { exact: true }).waitFor(seconds)
    expect(place()).toBe(`/dashboard/trust?address=${author}`)
    expect(await seriousFaults(page)).toEqual([])

    it.node.blocks.add({ kind: 'peer', subject: it.node.peerId.replace(/.$/, '1'), seconds: 60, keepRuns: true })
    await page.goto(`${it.dashboard.origin}/dashboard/`)
    await page.getByRole('region', { name: 'Blocked' }).waitFor(seconds)
    await follow(page, /^peer /)
    await page.getByText('is no neighbour now').waitFor(seconds)
    expect(it.faults).toEqual([])
  })

  test('a policy is changed and put in force, a service decided about again, and the session ended', async ({
    mesh,
  }) => {
    await using it = await openDashboard(browser, mesh, { KEYWORDS: ['nothing of it'] })
    const { page } = it
    const id = await mesh.publish(it.other, { author: it.author, name: 'first', keywords: ['web'] })
    await waitForState(it.node, id, 'redirected')
    await follow(page, /^Policy$/)
    await page.getByRole('heading', { name: 'The text is right' }).waitFor(seconds)
    await tabTo(page, 'the editor', () => page.evaluate<boolean>("document.activeElement.matches('.editor')"))
    await page.keyboard.press('Control+A')
    const changed = await mesh.policyWith('node', { DESC_MAX_LEN: 150 })
    await page.keyboard.insertText(changed)
    await expect.poll(() => page.getByRole('button', { name: 'Apply…' }).isEnabled(), seconds).toBe(true)
    await follow(page, /^Apply…$/)
    await page.getByRole('dialog').getByText('would change').first().waitFor(seconds)
    await expect.poll(() => page.getByRole('button', { name: 'Put it in force' }).isEnabled(), seconds).toBe(true)
    await follow(page, /^Put it in force$/)
    await page.getByText('The policy is in force.').waitFor(seconds)
    expect(await readFile(mesh.policyFile('node'), 'utf8')).toBe(changed)

    // from the beginning of the next page on
    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    await page.getByRole('heading', { name: /^first/ }).waitFor(seconds)
    await follow(page, /^Decide now/)
    await page.getByText('Decided now', { exact: false }).first().waitFor(seconds)
    await follow(page, /^Sessions$/)
    await page.getByText('this one').waitFor(seconds)
    await follow(page, /^Sign out/)
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor(seconds)
    expect(it.faults.filter((fault) => !fault.includes('401'))).toEqual([])
  })
})

const FOCUSED = `(document.activeElement?.tagName + ' ' + (document.activeElement?.textContent ?? '').trim().slice(0, 30))`

/** Tabs to what is so called, and presses it. */
async function follow(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, String(name), async () =>
    name.test(await page.evaluate<string>('(document.activeElement?.textContent ?? "").trim()')),
  )
  await page.keyboard.press('Enter')
}

async function tabTo(page: Page, what: string, isThere: () => Promise<boolean>): Promise<void> {
  const passed: string[] = []
  for (let count = 0; count < MAX_TABS; count++) {
    await page.keyboard.press('Tab')
    if (await isThere()) return
    passed.push(await page.evaluate<string>(FOCUSED))
  }
  throw new Error(`${what} is not reached with the keyboard; passed: ${passed.join(' | ')}`)
}
