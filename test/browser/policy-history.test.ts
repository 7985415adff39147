import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { launchBrowser, picture, seriousFaults } from '../fixtures/browser/browser.ts'
import { openDashboard } from '../fixtures/browser/node.ts'
import { test } from '../fixtures/node/mesh.ts'
import { PATIENCE } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'

const seconds = { timeout: PATIENCE }

describe.skipIf(!needs('browser'))('the history of the policy, in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('shows who put what in force, also before a restart, and brings one back by its dry run', async ({ mesh }) => {
    await using it = await openDashboard(browser, mesh, { KEYWORDS: ['bridges'] })
    const { page } = it
    const file = mesh.policyFile('node')
    const first = await readFile(file, 'utf8')
    const hostile = { kind: 'token', id: '0a', label: '<img src=x>\u202eann' } as const
    await it.node.applyPolicy(`// <script>alert(1)</script>\n${await mesh.policyWith('node', { KEYWORDS: ['web'] })}`, {
      by: hostile,
    })
    await page.getByRole('link', { name: 'Policy', exact: true }).click()
    const history = page.getByRole('region', { name: 'History' })
    await history.getByText('Policy 2').waitFor(seconds)
    await history.getByText('<img src=x>\ufffdann').waitFor(seconds)
    await history.getByText('it was changed on the disk').waitFor(seconds)
    // with the keyboard alone, from here on
    await history.locator('summary').filter({ hasText: 'Policy 1' }).focus()
    await page.keyboard.press('Enter')
    await history.getByText('<script>alert(1)</script>').waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'policy-history')
    for (let tabs = 0; tabs < 5; tabs++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate<string>('document.activeElement.textContent')).startsWith('Revert to policy 1')) break
    }
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Nothing that is live here would change.').waitFor(seconds)
    await dialog.getByText('<script>alert(1)</script>').waitFor(seconds)
    expect(await readFile(file, 'utf8')).not.toBe(first)
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'policy-revert')
    await dialog.getByRole('button', { name: 'Put it in force' }).press('Enter')
    await page.getByText('The policy is in force.').waitFor(seconds)
    expect(await readFile(file, 'utf8')).toBe(first)
    await history.getByText('the same as policy 1').waitFor(seconds)
    expect(it.node.policyHistory.list()[0]).toMatchObject({ number: 3, by: { kind: 'session', label: 'operator' } })
    expect(it.faults).toEqual([])

    await mesh.stop('node')
    const again = await mesh.start('node')
    expect(again.policyHistory.list().map(({ number, by }) => [number, by.kind])).toEqual([
      [3, 'session'],
      [2, 'token'],
      [1, 'file'],
    ])
  })
})
