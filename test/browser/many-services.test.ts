import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { launchBrowser, openPage } from '../fixtures/browser/browser.ts'
import { serveDashboard } from '../fixtures/browser/dashboard.ts'
import { createFakeNode } from '../fixtures/node/fake-node.ts'
import { test } from '../fixtures/node/mesh.ts'
import { PATIENCE } from '../fixtures/node/nodes.ts'
import { system } from '../fixtures/system.ts'
import { needs } from '../require.ts'

const SERVICES = 10_000
const EVENTS = 4_000

describe.skipIf(!needs('browser'))('a node that knows ten thousand services', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('shows a page of a hundred, and holds no more of the events than it shows', async () => {
    const node = createFakeNode({ clock: system.clock })
    for (let index = 0; index < SERVICES; index++) node.put(viewOf(index))
    await using dashboard = await serveDashboard(node)
    await using view = await openPage(browser, dashboard.origin)
    const { page } = view
    await page.goto(await dashboard.link())
    await page.getByText('10,000').first().waitFor({ timeout: PATIENCE })
    await page.getByRole('link', { name: 'Services', exact: true }).click()
    await page.getByText(/^100 services shown/).waitFor({ timeout: PATIENCE })
    expect(await page.getByRole('row').count()).toBe(101)

    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor({ timeout: PATIENCE })
    for (let index = 0; index < EVENTS; index++) {
      const { id, author, name } = viewOf(index)
      node.events.emit('intake:received', { id, kind: 'service', author, name, seq: 1, via: 'gossip', depth: 1 })
      if (index % 100 === 0) await new Promise((resolve) => system.clock.after(20, () => resolve(undefined)))
    }
    await page.getByLabel('Activity, newest first').waitFor({ timeout: PATIENCE })
    expect(await page.getByLabel('Activity, newest first').getByRole('listitem').count()).toBeLessThanOrEqual(20)
    expect(view.faults).toEqual([])
  })
})

function viewOf(index: number) {
  const id = `bafyrei${String(index).padStart(52, 'a')}`
  return {
    ...{ id, author: 'Htkfsapwx6tw', name: `service-${index}`, seq: 1, title: '', desc: '', code: id, replicas: 1 },
    ...{ kind: 'service' as const, ports: [], issued: 1, expires: 4_000_000_000, receivedAt: 1_700_000_000 + index },
    ...{ via: 'gossip' as const, depth: 1, state: 'redirected' as const, redirected: true, receipts: [] },
  }
}
