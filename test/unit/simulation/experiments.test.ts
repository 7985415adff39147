import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compareRuns } from '../../../src/simulation/experiments/comparison.ts'
import { openExperiment, runExperiment, seedsOf } from '../../../src/simulation/experiments/experiment.ts'
import { withPolicy } from '../../../src/simulation/experiments/impact.ts'
import { parseUntil, replay } from '../../../src/simulation/experiments/replay.ts'
import { intervalOf } from '../../../src/simulation/experiments/student.ts'
import { parseVary, varied } from '../../../src/simulation/experiments/vary.ts'
import { environmentOf } from '../../../src/simulation/output/environment.ts'
import { wholeScenario } from '../../../src/simulation/scenario/read.ts'
import { countingEngine } from '../../fixtures/simulation-engine.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const scenario = await wholeScenario(
  {
    title: 'twenty nodes',
    nodes: 20,
    seconds: 100,
    groups: [{ name: 'all', share: 1, policy: { REDIRECT: 'always' } }],
    instructions: [
      { at: 0, do: 'publish', from: { node: 0 }, redirectionDepth: 3 },
      { at: 1, do: 'heal' },
    ],
  },
  { file: 'test', folder: '/' },
)
const environment = await environmentOf('0.0.0')

test('an interval over seeds is that of the t distribution; of one seed there is none', () => {
  // 3.1824 (three degrees of freedom) x 2.6458 / 2
  const interval = intervalOf([1, 2, 4, 7])
  expect(interval?.mean).toBe(3.5)
  expect(interval?.low).toBeCloseTo(-0.71, 3)
  expect(interval?.high).toBeCloseTo(7.71, 3)
  expect(intervalOf([5])).toEqual({ mean: 5, low: null, high: null, seeds: 1 })
  expect(intervalOf([])).toBeNull()
  // more seeds than the table has rows: never narrower than it should be
  const wide = intervalOf(Array.from({ length: 200 }, (_, index) => index % 2))
  expect((wide?.high ?? 0) - 0.5).toBeCloseTo(1.9799 * Math.sqrt(0.25 / 199), 4)
})

test.for([
  ['redirectionDepth=0..6', 'redirectionDepth', [0, 1, 2, 3, 4, 5, 6]],
  ['links.loss=0,0.01,0.1', 'links.loss', [0, 0.01, 0.1]],
  ['links.loss=0..0.3/0.1', 'links.loss', [0, 0.1, 0.2, 0.3]],
  ['REDIRECT=always,never', 'REDIRECT', ['always', 'never']],
  ['scoring=true,false', 'scoring', [true, false]],
] as const)('%s names a key and its values', ([text, key, values]) => {
  expect(parseVary(text)).toEqual({ key, values })
})

test.for(['', 'nodes', 'nodes=', 'nodes=5..1', 'nodes=0..9999999', 'nodes=1,,2', 'nodes=1,1', 'a b=1', 'nodes=1..2/0'])(
  '--vary %j is refused with an example',
  (text) =>
    expect(() => parseVary(text)).toThrow(
      /^--vary is .*; allowed is a key with values, like --vary redirectionDepth=0\.\.6/,
    ),
)

test('a value is put where the key is: a path, the publications, the policies', async () => {
  const depth = await varied(scenario, 'redirectionDepth', 5)
  expect(depth.instructions[0]).toMatchObject({ do: 'publish', redirectionDepth: 5 })
  expect(depth.instructions[1]).toEqual(scenario.instructions[1])
  expect((await varied(scenario, 'links.loss', 0.5)).links.loss).toBe(0.5)
  expect((await varied(scenario, 'nodes', 30)).nodes).toBe(30)
  expect((await varied(scenario, 'REDIRECT', 'never')).groups[0]?.policy).toEqual({ REDIRECT: 'never' })
  expect(scenario.groups[0]?.policy).toEqual({ REDIRECT: 'always' })
  await expect(varied(scenario, 'links.lost', 1)).rejects.toThrow(
    'links.lost (1) is not a known key; did you mean loss?',
  )
  await expect(varied(scenario, 'redirectionDepth', 99)).rejects.toThrow(/redirectionDepth is 99; allowed is/)
  await expect(varied(scenario, 'REDIRCT', 'never')).rejects.toThrow('did you mean REDIRECT?')
  await expect(varied(scenario, 'redirectionDepht', 1)).rejects.toThrow(
    '--vary names redirectionDepht, which is no key; did you mean redirectionDepth?',
  )
  await expect(varied(scenario, '__proto__.loss', 1)).rejects.toThrow(
    '--vary names __proto__.loss, but the scenario has no __proto__',
  )
  await expect(varied(scenario, 'link.loss', 1)).rejects.toThrow('--vary names link.loss, but the scenario has no link')
})

test('an experiment goes on after an interruption, and runs nothing twice', async () => {
  const dir = await tempDir()
  const folder = join(dir, 'sweep')
  let runs = 0
  const controller = new AbortController()
  const engine = countingEngine({ onRun: () => ++runs === 3 && controller.abort(new Error('Ctrl-C')) })
  const trials = [0, 0.5].flatMap((loss) =>
    seedsOf('s', 2).map((seed) => ({
      variant: `links.loss=${loss}`,
      seed,
      scenario: async () => ({ ...(await varied(scenario, 'links.loss', loss)), seed }),
    })),
  )
  const init = { trials, folder, events: 'none', environment, onDone: () => {} } as const
  await openExperiment(folder, { vary: 'links.loss' })
  await expect(runExperiment(engine, { ...init, signal: controller.signal })).rejects.toThrow()
  const kept: boolean[] = []
  const all = await runExperiment(engine, {
    ...init,
    signal: new AbortController().signal,
    onDone: (_done, state) => void kept.push(state.kept),
  })
  expect(kept).toEqual([true, true, false, false])
  expect(runs).toBe(5)
  expect(all.map(({ results }) => results.values.coverage)).toEqual([1, 1, 0.5, 0.5])
  // the same folder is not for another experiment
  await openExperiment(folder, { vary: 'links.loss' })
  await expect(openExperiment(folder, { vary: 'nodes' })).rejects.toThrow(`${folder} holds another experiment`)

  // what was cut short is run again
  const file = join(folder, 'runs', 'links.loss=0', 's', 'results.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"complete": true', '"complete": false'))
  rmSync(join(folder, 'runs', 'links.loss=0.5', 's', 'results.json'))
  await runExperiment(engine, { ...init, signal: new AbortController().signal })
  expect(runs).toBe(7)
})

test('runs are compared seed by seed', async () => {
  const signal = new AbortController().signal
  const of = (loss: number, seeds: readonly string[]) =>
    runExperiment(countingEngine(), {
      ...{ events: 'none', environment, signal, onDone: () => {} },
      trials: seeds.map((seed) => ({
        variant: '',
        seed,
        scenario: async () => ({ ...(await varied(scenario, 'links.loss', loss)), seed }),
      })),
    }).then((all) => all.map(({ results }) => results))
  const seeds = seedsOf('s', 4)
  const comparison = compareRuns(await of(0, seeds), await of(0.5, [...seeds, 'another']))
  expect(comparison.seeds).toEqual(seeds)
  const find = (name: string) => comparison.metrics.find(({ metric }) => metric === name)
  expect(find('coverage')).toMatchObject({
    a: { mean: 1, seeds: 4 },
    b: { mean: 0.5, seeds: 5 },
    difference: { mean: -0.5, low: -0.5, high: -0.5 },
  })
  // seeds differ by more than the variants do: only pairs show it
  const latency = find('deliveryLatencyP50Ms')
  expect(latency?.a?.low).not.toBe(latency?.a?.mean)
  expect(latency?.difference?.mean).toBeCloseTo(-50, 6)
  expect(latency?.difference?.low).toBeCloseTo(-50, 6)
})

test('a replay stops at an event, and has the state of the nodes there', async () => {
  const signal = new AbortController().signal
  const found = await replay(countingEngine(), scenario, { until: parseUntil('delivered@3'), steps: 2, signal })
  expect(found.stoppedAt).toBe(6)
  expect(found.nodes.map(({ node }) => node)).toEqual([0, 1, 2, 3])
  expect(found.nodes[0]?.services).toEqual([
    { service: 0, depth: 8, verdict: null, emitted: 8, run: null, revoked: false },
  ])
  expect(found.events.at(-1)?.number).toBe(8)
  expect((await replay(countingEngine(), scenario, { until: parseUntil('4'), steps: 0, signal })).nodes).toHaveLength(2)
  expect(
    (await replay(countingEngine(), scenario, { until: parseUntil('graylisted'), steps: 0, signal })).stoppedAt,
  ).toBeNull()
  expect(() => parseUntil('deliverd@7')).toThrow('--until is "deliverd@7"; did you mean delivered?')
  expect(() => parseUntil('0')).toThrow(/^--until is "0"; allowed is a number, or one of joined,/)
})

test('a share of each group gets another policy, and the rest of the scenario stays', async () => {
  const policy = { REDIRECT: 'never' }
  const some = withPolicy(scenario, policy, 0.25)
  expect(some.groups).toEqual([
    { name: 'all', share: 0.75, runner: 'andromeda', policy: { REDIRECT: 'always' } },
    { name: 'candidate', share: 0.25, runner: 'andromeda', policy },
  ])
  expect({ ...some, groups: scenario.groups }).toEqual(scenario)
  expect(withPolicy(scenario, policy, 1).groups).toEqual([{ name: 'all', share: 1, runner: 'andromeda', policy }])
  const mixed = {
    ...scenario,
    groups: [0.4, 0.6].map((share, index) => ({ name: `g${index}`, share, runner: 'andromeda', policy: {} })),
  }
  const groups = withPolicy(mixed, policy, 0.5).groups.map(({ name, share }) => [name, share])
  expect(groups).toEqual([
    ['g0', 0.2],
    ['g0 (candidate)', 0.2],
    ['g1', 0.3],
    ['g1 (candidate)', 0.3],
  ])
  const taken = { ...scenario, groups: scenario.groups.map((group) => ({ ...group, name: 'candidate' })) }
  expect(() => withPolicy(taken, policy, 0.5)).toThrow('the scenario has a group "candidate" already')
})
