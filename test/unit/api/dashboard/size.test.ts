import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../../build.ts'

const BUILT = join(ROOT, 'dist/dashboard')
const kB = 1_000
const sizeOf = (name: string) => statSync(join(BUILT, `${name}.br`)).size
const originals = globSync('**/*.{js,css,html,svg}', { cwd: BUILT })

/** What a browser loads before the overview is complete: the page, what it names, and the picture of the announcements. */
function firstLoad(): string[] {
  const html = readFileSync(join(BUILT, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/dashboard\/([^"]+)"/g)].map(([, name]) => name as string)
  return ['index.html', ...named, ...originals.filter((name) => /\/uPlot/i.test(name))]
}

test('the first load is at most 90 kB, and all of the dashboard at most 220 kB', () => {
  const first = firstLoad()
  expect(first.length).toBeGreaterThan(4)
  expect(first.reduce((sum, name) => sum + sizeOf(name), 0)).toBeLessThanOrEqual(90 * kB)
  expect(originals.reduce((sum, name) => sum + sizeOf(name), 0)).toBeLessThanOrEqual(220 * kB)
})
