import { execFileSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { detectionTable, foundFaults, holdsIn } from '../../../scripts/faults/detection.ts'
import { allFaults, type Fault } from '../../../scripts/faults/fault.ts'
import { findFault } from '../../../scripts/faults/find.ts'
import { createPatchedTree } from '../../../scripts/faults/patched-tree.ts'
import { INVARIANTS } from '../../../src/simulation/invariants/index.ts'
import { readScenario } from '../../../src/simulation/scenario/read.ts'
import { checkSupported } from '../../../src/simulation/scenario/unsupported.ts'

const ROOT = join(import.meta.dirname, '../../..')
const FAULTS = allFaults()
/** `npm run faults` runs them all, which takes minutes. */
const RUN = ['ticket-is-not-lowered', 'gate-forwards-what-is-refused']

test.each(FAULTS)('$name: its patch fits the sources, and its scenario is right', async (fault) => {
  execFileSync('git', ['apply', '--check', fault.patch], { cwd: ROOT, stdio: 'pipe' })
  const scenario = await readScenario(fault.scenario)
  checkSupported(scenario, fault.engine, basename(fault.scenario))
  const known = [...INVARIANTS.map(({ id }) => id), ...(scenario.assertions.length > 0 ? ['assertion'] : [])]
  expect(known).toContain(fault.breaks)
})

test('the simulator finds faults that are put into the code, and none where there is none', {
  timeout: 240_000,
}, async () => {
  await using tree = await createPatchedTree()
  for (const name of RUN) {
    const { found, said } = await findFault(tree, FAULTS.find((fault) => fault.name === name) as Fault)
    expect([name, found, said]).toEqual([name, true, expect.stringContaining('node')])
  }
  const { scenario, engine, patch, breaks } = FAULTS.find(({ name }) => name === RUN[0]) as Fault
  const { code } = await tree.run(['sim', 'run', scenario, '--engine', engine, '--json'])
  expect(code).toBe(0)

  // random scenarios find it, too, and what is left of one is a scenario that shows it
  const applied = await tree.apply(patch)
  const fuzzed = await tree.run(['sim', 'fuzz', '--runs', '20', '--out', 'found.json'])
  expect([fuzzed.code, fuzzed.stderr.trim().split('\n').at(-1)]).toEqual([
    1,
    expect.stringMatching(/^scenario \d+ breaks /),
  ])
  expect(fuzzed.stdout).toContain(`${breaks}: `)
  expect(fuzzed.stdout).toContain('\n  thundercloud sim run found.json --engine virtual\n')
  const again = await tree.run(['sim', 'run', 'found.json', '--engine', 'virtual'])
  expect([again.code, again.stdout]).toEqual([1, expect.stringContaining(`${breaks}: `)])
  const twice = await tree.run(['sim', 'fuzz', '--out', 'found.json'])
  expect([twice.code, twice.stderr]).toEqual([2, 'found.json is there already; name another file with --out\n'])

  // sources that break it themselves show nothing of a fault; those that do not, do
  const failing = { scenario: 'found.json', engine, breaks }
  expect(await holdsIn(tree.run, failing)).toBe(false)
  expect(await holdsIn(tree.run, { ...failing, breaks: 'no-task-twice' })).toBe(true)
  await applied[Symbol.asyncDispose]()
  expect(await holdsIn(tree.run, failing)).toBe(true)
  expect(await holdsIn(tree.run, { ...failing, scenario: 'none.json' })).toBe(false)
})

test('a fault counts where two seeds break what holds without it', () => {
  const faults = ['found', 'once', 'same-without', 'nothing'].map((name) => ({ name }))
  const of = (fault: string, seed: string, breaks: string | null, holdsWithoutPatch: boolean | null) => ({
    ...{ fault, seed, breaks, holdsWithoutPatch, nodes: 3, instructions: 2 },
  })
  const found = [
    of('found', 'a', 'no-task-twice', true),
    of('found', 'b', 'run-ends', true),
    of('once', 'a', 'no-task-twice', true),
    of('once', 'b', 'revoked-never-starts', false),
    ...['a', 'b', 'c'].map((seed) => of('same-without', seed, 'revoked-never-starts', false)),
    ...['a', 'b', 'c'].map((seed) => of('nothing', seed, null, null)),
  ]
  expect(foundFaults(faults, found)).toEqual(['found'])
  expect(detectionTable(faults, found).split('\n').slice(2)).toEqual([
    '| found | 2 of 2 | no-task-twice, run-ends | 3, 3 | 2, 2 |',
    '| once | 1 of 2 | no-task-twice | 3 | 2 |',
    '| same-without | 0 of 3 | - | - | - |',
    '| nothing | 0 of 3 | - | - | - |',
    '',
  ])
})
