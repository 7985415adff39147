import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openJournal } from '../../src/journal/index.ts'
import { launchBrowser, picture, seriousFaults } from '../fixtures/browser/browser.ts'
import { openDashboard, TICKING, tarOf } from '../fixtures/browser/node.ts'
import { test, waitForState } from '../fixtures/node/mesh.ts'
import { PATIENCE } from '../fixtures/node/nodes.ts'
import { system } from '../fixtures/system.ts'
import { needs } from '../require.ts'

const seconds = { timeout: PATIENCE }
/** Whether the figure of each plot has room for all of it. */
const PLOTS_IN_BOX = `[...document.querySelectorAll('canvas')].map((plot) => {
  const { top, bottom } = plot.getBoundingClientRect()
  const box = plot.closest('figure').getBoundingClientRect()
  return top >= box.top - 1 && bottom <= box.bottom + 1
})`

describe.skipIf(!(needs('browser') && needs('bubblewrap')))('what a run used, in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  test('what a run used is plotted from what the node kept, over its end, and said in words', async ({ mesh }) => {
    await using it = await openDashboard(browser, mesh)
    const { page } = it
    const code = (await it.other.addArchive(tarOf({ 'main.js': TICKING }))).code
    const run = { command: ['node', 'main.js'], kind: 'service' }
    const id = await mesh.publish(it.other, { author: it.author, code, name: 'ticker', run })
    await waitForState(it.node, id, 'running')
    await page.goto(`${it.dashboard.origin}/dashboard/service/${id}`)
    const card = page.getByRole('region', { name: 'Run', exact: true })
    await card.getByText('has not been measured yet').waitFor(seconds)
    // as if the node had looked at it for half an hour
    const runId = it.node.service(id).run?.runId ?? ''
    {
      using journal = openJournal({ path: join(mesh.dir('node'), 'data/journal.sqlite'), ...system })
      for (let minute = 30; minute > 0; minute--) {
        const totals = { runningMs: 60_000, cpuMs: 6_000, receivedBytes: 60 * 1024, sentBytes: 120 * 1024 }
        const at = system.clock.now() - minute * 60_000
        const measured = { memoryBytes: 32 * 2 ** 20, diskBytes: 4096, at }
        const record = { ended: totals, start: 0, current: totals, periodFrom: totals, ...measured }
        journal.runs.recordUsage(runId, record, { ...totals, ...measured })
      }
    }
    await page.reload()
    await card.getByRole('img', { name: 'Processor over time. Newest: 10 %.' }).waitFor(seconds)
    await card.getByRole('img', { name: 'Memory over time. Newest: 32 MiB.' }).waitFor(seconds)
    await card.getByRole('img', { name: 'Network over time. Newest: received 1 KiB/s, sent 2 KiB/s.' }).waitFor(seconds)
    await card.getByRole('img', { name: 'Disk over time. Newest: 4 KiB.' }).waitFor(seconds)
    expect(await card.locator('canvas').count()).toBe(4)
    // all of a picture is in its box: the axis below it, too
    expect(await page.evaluate<boolean[]>(PLOTS_IN_BOX)).toEqual([true, true, true, true])
    expect(await seriousFaults(page)).toEqual([])
    await picture(page, 'usage')
    // what it used stays when it has ended, with its last measure
    await it.node.stop(id)
    await card.getByText('stopped', { exact: true }).first().waitFor(seconds)
    expect(await card.locator('canvas').count()).toBe(4)
    expect(it.node.usage(id).points.length).toBe(31)
    expect(it.faults).toEqual([])
  })
})
