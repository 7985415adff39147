import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { COUNTERS, counterName, GAUGES, HISTOGRAMS, metricName } from '../../../src/metrics/index.ts'
import { freePort } from '../../fixtures/net.ts'
import { openPlace } from '../../fixtures/program/program.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const MONITORING = join(import.meta.dirname, '../../../configs/monitoring')

type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }

const { panels } = JSON.parse(readFileSync(join(MONITORING, 'grafana-dashboard.json'), 'utf8')) as { panels: Panel[] }
const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))
const LEFT_OUT = readFileSync(join(MONITORING, 'not-on-the-dashboard.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((pattern) => new RegExp(`^${pattern}$`))

/** Prometheus itself, with the files that a user gets, one of whose nodes is at this address. */
async function startPrometheus(target: string, token: string) {
  const dir = await tempDir()
  const port = await freePort()
  const config = await readFile(join(MONITORING, 'prometheus.yml'), 'utf8')
  const text = `global: { scrape_interval: 1s }\n${config.replace('127.0.0.1:4981', target)}`
  expect(text).toContain(target)
  await writeFile(join(dir, 'prometheus.yml'), text)
  await writeFile(join(dir, 'api.token'), token)
  await copyFile(join(MONITORING, 'alerts.yml'), join(dir, 'alerts.yml'))
  const flags = [`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`]
  const child = spawn('prometheus', [...flags, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  onTestFinished(async () => {
    const gone = once(child, 'exit')
    child.kill()
    await gone
  })
  return {
    async query(expr: string) {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`
      const answer = await fetch(url).then((response) => response.json())
      return answer as { status: string; error?: string; data: { result: { value: [number, string] }[] } }
    },
  }
}

const WITHOUT_SERIES = /^sum( by \([^)]*\))? \(|^sum\(|^histogram_quantile|^rate\(/

describe.skipIf(!needs('prometheus'))('a node with METRICS', () => {
  it('is scraped by Prometheus, which answers each query of the dashboard', async () => {
    await using place = await openPlace({ node: { METRICS: true } })
    const { ready } = await place.start()
    const token = (await readFile(join(place.dir, 'api.token'), 'utf8')).trim()
    const { query } = await startPrometheus(new URL(ready.api as string).host, token)
    await expect
      .poll(
        async () =>
          (await query('count_over_time(up{job="thundercloud"}[1m]) > 3').catch(() => undefined))?.data.result.length,
      )
      .toBe(1)
    expect((await query('up')).data.result[0]?.value[1]).toBe('1')
    for (const [title, expr] of expressions) {
      const asked = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m')
      const answer = await query(asked)
      expect(answer, `${title}: ${asked}`).toMatchObject({ status: 'success' })
      // what has not happened yet has no series
      if (!WITHOUT_SERIES.test(asked)) expect(answer.data.result.length, `${title}: ${asked}`).toBeGreaterThan(0)
    }

    const names = [...new Set((await scrape(ready.api as string, token)).map((line) => line.split(' ')[2] as string))]
    expect(names).toContain('thundercloud_peers')
    expect(names.filter((name) => name.startsWith('libp2p_')).length).toBeGreaterThan(0)
    const shown = expressions.map(([, expr]) => expr).join(' ')
    const missing = names.filter((name) => !shown.includes(name) && !LEFT_OUT.some((pattern) => pattern.test(name)))
    expect(missing, 'on the dashboard, or in not-on-the-dashboard.txt').toEqual([])
  })
})

describe.skipIf(!needs('prometheus'))('the rules of the alerts', () => {
  it('begin and do not begin where their tests say', () => {
    const run = () =>
      execFileSync('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: MONITORING, encoding: 'utf8' })
    expect(run()).toContain('SUCCESS')
  })
})

describe('the dashboard', () => {
  let shown = ''
  beforeAll(() => {
    shown = `${expressions.map(([, expr]) => expr).join(' ')} `
  })
  const names = [
    ...Object.keys(COUNTERS).map((name) => counterName(name as keyof typeof COUNTERS)),
    ...Object.keys({ ...GAUGES, ...HISTOGRAMS }).map(metricName),
  ]

  it.each(names)('shows %s', (name) => {
    expect(shown).toMatch(new RegExp(`\\b${name}(_bucket)?[{ )]`))
  })
})

/** The lines that say of what kind each measure is. */
async function scrape(url: string, token: string): Promise<string[]> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  return (await answer.text()).split('\n').filter((line) => line.startsWith('# TYPE '))
}
