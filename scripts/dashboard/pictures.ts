/**
 * Takes the pictures of docs/dashboard.md: real nodes, a real browser. `node --conditions=thundercloud-source
 * scripts/dashboard/pictures.ts`
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { createApiClient } from '../../src/api/index.ts'
import { launchBrowser } from '../../test/fixtures/browser/browser.ts'
import { buildDashboard } from './build.ts'
import { openScene } from './scene.ts'
import { ROOT } from './vite.ts'

const FOLDER = join(ROOT, 'docs/dashboard')
const QUALITY = 0.82
const SETTLED_MS = 3_000

type Picture = {
  readonly name: string
  readonly path: string
  readonly scheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  prepare?(page: Page): Promise<void>
}

function pictures(service: string): readonly Picture[] {
  return [
    { name: 'overview', path: '' },
    { name: 'services', path: 'services', height: 760 },
    { name: 'service', path: `service/${service}`, height: 1240 },
    { name: 'service-narrow', path: `service/${service}`, scheme: 'dark', width: 400, height: 860 },
    { name: 'neighbours', path: 'neighbours' },
    { name: 'dormitory', path: 'dormitory', height: 640 },
    { name: 'policy', path: 'policy', prepare: editPolicy },
  ]
}

/** Types another keyword, and asks what it would change. */
async function editPolicy(page: Page): Promise<void> {
  const text = await page.evaluate<{ text: string }>("fetch('/policy/text').then((answer) => answer.json())")
  await page.getByLabel('Text of the policy, config.json').click()
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(`// bridges are of no interest yet\n${text.text.replace('"web"', '"websites"')}`)
  await page.getByText('The text is right').waitFor()
  await page.getByRole('button', { name: 'Apply…' }).click()
  await page
    .getByText(/would change/)
    .first()
    .waitFor()
}

async function take(browser: Browser, origin: string, link: string, picture: Picture): Promise<void> {
  const { name, path, scheme = 'light', width = 1280, height = 900, prepare } = picture
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme })
  const page = await context.newPage()
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  if (path !== '') await page.goto(`${origin}/dashboard/${path}`)
  await page.waitForTimeout(SETTLED_MS)
  await prepare?.(page)
  const bytes = await webp(browser, await page.screenshot())
  await writeFile(join(FOLDER, `${name}.webp`), bytes)
  console.log(`${name}: ${bytes.byteLength} bytes`)
  await context.close()
}

/** A picture for documents has a third of the bytes as WebP; the browser is the one program here that writes it. */
async function webp(browser: Browser, png: Buffer): Promise<Buffer> {
  const page = await browser.newPage()
  const source = `data:image/png;base64,${png.toString('base64')}`
  const data = await page.evaluate<string>(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(source)}
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', ${QUALITY})
  })()`)
  await page.close()
  return Buffer.from(data.slice(data.indexOf(',') + 1), 'base64')
}

await buildDashboard()
await mkdir(FOLDER, { recursive: true })
await using scene = await openScene()
const browser = await launchBrowser()
const { url } = scene.served
const client = createApiClient({ url, token: scene.token })
for (const picture of pictures(scene.ids.prices)) {
  await take(browser, url, url + (await client.sessions.link()).path, picture)
}
await browser.close()
