import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { csvText } from '../../../src/simulation/output/csv.ts'
import { environmentOf } from '../../../src/simulation/output/environment.ts'
import { createEventLog } from '../../../src/simulation/output/event-log.ts'
import { createOutputFolder, readOutputFolder } from '../../../src/simulation/output/folder.ts'
import { passed } from '../../../src/simulation/output/results.ts'
import { InterruptedRunError, runScenario } from '../../../src/simulation/run-scenario.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { countingEngine } from '../../fixtures/simulation-engine.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const SCENARIO = {
  title: 'ten nodes',
  nodes: 10,
  seconds: 100,
  instructions: [{ at: 0, do: 'publish', from: { node: 0 } }],
  topology: { kind: 'random-regular', degree: 9 },
}
const of = { file: 'test', folder: '/' }
const environment = await environmentOf('0.0.0')

test('a folder holds all that a rerun needs, and what was measured', async () => {
  const dir = await tempDir()
  const path = join(dir, 'out')
  const scenario = await wholeScenario(SCENARIO, of)
  const output = await createOutputFolder(path, scenario)
  const results = await runScenario(countingEngine(), {
    ...{ scenario, environment, events: 'all', eventsPath: output.eventsPath },
  })
  await output.write(results)
  expect(readdirSync(path).toSorted()).toEqual(['events.ndjson.zst', 'metrics', 'results.json', 'scenario.json'])
  const again = await readOutputFolder(path)
  expect(again.scenario).toEqual(scenario)
  expect(again.results).toEqual(results)
  expect(passed(results)).toBe(true)
  expect(results.events).toMatchObject({ mode: 'all', count: 12, written: 12, leftOut: 0 })
  const lines = zstdDecompressSync(readFileSync(output.eventsPath)).toString().trim().split('\n')
  expect(lines).toHaveLength(12)
  expect(JSON.parse(lines[0] as string)).toMatchObject({ event: 'published', node: 0 })
  expect(readFileSync(join(path, 'metrics', 'hops.csv'), 'utf8')).toBe('hops,deliveries\r\n1,9\r\n')
  expect(environment.commit).toMatch(/^[0-9a-f]{40}$/)
  expect(environment.lockSha256).toMatch(/^[0-9a-f]{64}$/)
  await expect(createOutputFolder(path, scenario)).rejects.toThrow(`${path} is not empty; name a new folder`)
})

test('an interrupted run keeps what was measured and written by then', async () => {
  const dir = await tempDir()
  const scenario = await wholeScenario(SCENARIO, of)
  const output = await createOutputFolder(join(dir, 'out'), scenario)
  const controller = new AbortController()
  let seen = 0
  const engine = countingEngine()
  const interrupting = {
    ...engine,
    run: (...[given, options]: Parameters<typeof engine.run>) =>
      engine.run(given, {
        ...options,
        onEvent(event) {
          options?.onEvent?.(event)
          if (++seen === 5) controller.abort(new Error('interrupted'))
        },
      }),
  }
  const { signal } = controller
  const error = await runScenario(interrupting, {
    ...{ scenario, environment, events: 'all', eventsPath: output.eventsPath, signal },
  }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(InterruptedRunError)
  const { results } = error as InterruptedRunError
  expect(results).toMatchObject({ complete: false, sha256: null, events: { written: 5 }, assertions: [] })
  expect(results.values.coverage).toBe(0.3)
  await output.write(results)
  expect((await readOutputFolder(output.path)).results.complete).toBe(false)
  expect(zstdDecompressSync(readFileSync(output.eventsPath)).toString().trim().split('\n')).toHaveLength(5)
})

test('events are bounded in bytes, and a sample has the same nodes all along', async () => {
  const dir = await tempDir()
  const path = join(dir, 'events')
  {
    using log = createEventLog(path, { mode: 'all', nodes: 10, maxBytes: 1000 })
    for (let ms = 0; ms < 100; ms++) log.write({ ms, node: 1, event: 'joined' })
    expect([log.written + log.leftOut, log.written]).toEqual([100, 28])
  }
  expect(zstdDecompressSync(readFileSync(path)).toString().length).toBeLessThanOrEqual(1000)
  using sampled = createEventLog(path, { mode: 'sampled', nodes: 100_000 })
  for (let node = 0; node < 100_000; node++) sampled.write({ ms: 1, node, event: 'joined' })
  expect(sampled.written).toBe(1000)
})

test('a wrong folder is one sentence', async () => {
  const dir = await tempDir()
  await expect(readOutputFolder(join(dir, 'no'))).rejects.toThrow(
    /is not there; name a folder that `thundercloud sim run/,
  )
  const path = join(dir, 'bad')
  mkdirSync(path)
  writeFileSync(join(path, 'scenario.json'), JSON.stringify(SCENARIO))
  writeFileSync(join(path, 'results.json'), '{"format":2}')
  await expect(readOutputFolder(path)).rejects.toThrow(/results\.json: format is 2; allowed is/)
})

test('a mistake in an assertion is found before anything runs', async () => {
  const scenario = await wholeScenario({ ...SCENARIO, assertions: [{ metric: 'covrage', op: '>=', value: 1 }] }, of)
  let ran = false
  const engine = countingEngine({
    onRun() {
      ran = true
    },
  })
  await expect(runScenario(engine, { scenario, environment, events: 'none' })).rejects.toThrow('did you mean coverage?')
  expect(ran).toBe(false)
})

test('CSV: what has commas is quoted, and no name becomes a formula', () => {
  const text = csvText({
    columns: ['a', 'b'],
    rows: [
      ['x,"y"', null],
      ['=1+1', 0.5],
    ],
  })
  expect(text).toBe('a,b\r\n"x,""y""",\r\n\'=1+1,0.5\r\n')
})
