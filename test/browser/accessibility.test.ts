import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { formatAddress } from '../../protocols/address.ts'
import { expectNoSideways, launchBrowser, openPage, seriousFaults } from '../fixtures/browser/browser.ts'
import { serveDashboard } from '../fixtures/browser/dashboard.ts'
import { newSigner } from '../fixtures/mesh/announcement-of.ts'
import { type Mesh, RUNS_NOTHING, test, waitForState } from '../fixtures/node/mesh.ts'
import { PATIENCE } from '../fixtures/node/nodes.ts'
import { needs } from '../require.ts'

const seconds = { timeout: PATIENCE }
/** What a page has when it is complete. */
const PAGES: readonly (readonly [path: string, complete: string])[] = [
  ['', 'Verdicts by rule'],
  ['', 'key leaked'],
  ['services', '1 service shown'],
  ['dormitory', 'Nothing sleeps here'],
  ['neighbours', '1 neighbour'],
  ['trust', 'No hub is trusted'],
  ['policy', 'The text is right'],
  ['publish', 'Drop a folder or an archive here'],
  ['sessions', 'this one'],
  ['nowhere', 'There is no such page'],
]
const VIEWS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['400 px wide', { viewport: { width: 400, height: 800 } }],
  ['4K', { viewport: { width: 3840, height: 2160 } }],
]

describe.skipIf(!needs('browser'))('every page of the dashboard', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  async function serve(mesh: Mesh) {
    const other = await mesh.start('other', { runner: RUNS_NOTHING })
    const node = await mesh.join('node', other, { runner: RUNS_NOTHING })
    const id = await mesh.publish(other)
    await waitForState(node, id, 'redirected')
    const subject = formatAddress(newSigner().address)
    node.blocks.add({ kind: 'author', subject, seconds: 3600, note: 'key leaked', keepRuns: true })
    return { id, code: node.service(id).code, dashboard: await serveDashboard(node) }
  }

  test('keeps nobody out, light and dark, narrow and wide, and fits', async ({ mesh }) => {
    const { id, code, dashboard } = await serve(mesh)
    await using _served = dashboard
    const pages = [
      ...PAGES,
      [`service/${id}`, 'may travel'],
      [`code/${code}`, 'Services with this code'],
      [`why/${id}`, 'No receipt is here'],
    ] as const
    for (const [name, options] of VIEWS) {
      await using view = await openPage(browser, dashboard.origin, options)
      const { page, faults } = view
      await page.goto(await dashboard.link())
      await page.getByRole('heading', { name: 'Overview' }).waitFor(seconds)
      for (const [path, complete] of pages) {
        await page.goto(`${dashboard.origin}/dashboard/${path}`)
        await page.getByText(complete).first().waitFor(seconds)
        await expectNoSideways(page)
        if (path !== 'nowhere') expect([name, path, await chosenIsSeen(page)]).toEqual([name, path, true])
        expect([name, path, await seriousFaults(page)]).toEqual([name, path, []])
      }
      expect([name, faults]).toEqual([name, []])
    }
  })

  test('is reached, and a service found, with the keyboard alone', async ({ mesh }) => {
    const { id, dashboard } = await serve(mesh)
    await using _served = dashboard
    await using view = await openPage(browser, dashboard.origin)
    const { page } = view
    await page.goto(await dashboard.link())
    await page.getByRole('heading', { name: 'Overview' }).waitFor(seconds)
    await tabTo(page, 'Skip to the content')
    await tabTo(page, 'Services')
    await page.keyboard.press('Enter')
    await page.getByText('1 service shown').waitFor(seconds)
    await tabTo(page, 'hello-web')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /hello-web/ }).waitFor(seconds)
    expect(page.url()).toContain(id)
    await tabTo(page, 'Connect')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText(`thundercloud connect ${id}:http`).waitFor(seconds)
    expect(await seriousFaults(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached', ...seconds })
    expect(await focused(page)).toBe('Connect')
  })
})

/** Where the menu is one line that scrolls, it shows the page that is open. */
function chosenIsSeen(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const seen = document.querySelector('.nav').getBoundingClientRect()
    const chosen = document.querySelector('.nav [aria-current]').getBoundingClientRect()
    return chosen.left >= seen.left - 1 && chosen.right <= seen.right + 1
  })()`)
}

/** At most as often as a person would. */
const MAX_TABS = 60

async function tabTo(page: Page, name: string): Promise<void> {
  for (let count = 0; count < MAX_TABS; count++) {
    if ((await focused(page)) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`"${name}" is not reached with the keyboard; the focus is on "${await focused(page)}"`)
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>('(document.activeElement?.textContent ?? "").trim()')
}
