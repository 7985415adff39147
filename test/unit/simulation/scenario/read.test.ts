import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planOf } from '../../../../src/simulation/plan/plan.ts'
import { readScenario, wholeScenario } from '../../../../src/simulation/scenario/read.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const SMALL = { title: 'a few nodes', nodes: 10, seconds: 60, topology: { kind: 'random-regular', degree: 4 } }
const GROUPS = [
  { name: 'willing', share: 0.5 },
  { name: 'silent', share: 0.5, policy: { REDIRECT: 'never' } },
]
const read = (raw: object) => wholeScenario(raw, { file: 'scenario.json', folder: '/nowhere' })
const publish = { at: 0, do: 'publish' }

test.each([
  ['an unknown key', { ...SMALL, node: 3 }, 'scenario.json: node (3) is not a known key; did you mean nodes?'],
  [
    'shares that are no whole',
    { ...SMALL, groups: [{ name: 'a', share: 0.3 }] },
    'scenario.json: groups have shares that sum to 0.3; they must sum to 1',
  ],
  [
    'an impossible share',
    { ...SMALL, groups: [{ name: 'a', share: 1.5 }] },
    'scenario.json: groups[0].share is 1.5; allowed is a number from 0 to 1',
  ],
  [
    'a policy with an unknown key',
    { ...SMALL, groups: [{ name: 'a', share: 1, policy: { REDIRECTS: 'never' } }] },
    'scenario.json: groups[0].policy: REDIRECTS ("never") is not a known key; did you mean REDIRECT?',
  ],
  [
    'a runner that is not there',
    { ...SMALL, groups: [{ name: 'a', share: 1, runner: 'mine.js' }] },
    'scenario.json: groups[0].runner ("mine.js") is not there',
  ],
  [
    'a policy file that is not there',
    { ...SMALL, groups: [{ name: 'a', share: 1, policy: 'mine.json' }] },
    "scenario.json: groups[0].policy must name a runner's configuration",
  ],
  [
    'more neighbours than nodes',
    { ...SMALL, nodes: 3 },
    'scenario.json: topology.degree is 4, but a node has 2 others; it must be at most 2',
  ],
  [
    'an odd number of ends of links',
    { ...SMALL, nodes: 9, topology: { kind: 'random-regular', degree: 3 } },
    'scenario.json: topology.degree is 3, but nodes is 9; one of them must be even, as a link has two ends',
  ],
  [
    'neighbours for a node alone',
    { ...SMALL, nodes: 1 },
    'scenario.json: topology.kind is "random-regular", but nodes is 1; for one node it must be "edges" without any',
  ],
  [
    'regions without their latencies',
    { ...SMALL, topology: { kind: 'regions', degree: 4 } },
    'scenario.json: topology.kind is "regions", but links.latencyMs names no regions',
  ],
  [
    'a matrix with a row too few',
    { ...SMALL, links: { latencyMs: { regions: ['a', 'b'], matrix: [[1, 2]] } } },
    'scenario.json: links.latencyMs.matrix must have 2 rows of 2 numbers, as there are 2 regions',
  ],
  [
    'a group that nobody is in',
    { ...SMALL, partitions: [{ at: 1, until: 2, cut: { groups: ['others'] } }] },
    'scenario.json: partitions[0].cut.groups[0] is "others", which is no group; known are all',
  ],
  [
    'a service that is not published',
    { ...SMALL, instructions: [publish, { at: 5, do: 'stop', service: 1 }] },
    'scenario.json: instructions[1].service is 1, but 1 service is published; the first is 0',
  ],
  [
    'a stop before its service',
    { ...SMALL, instructions: [publish, { ...publish, at: 9, count: 2 }, { at: 5, do: 'stop', service: 2 }] },
    'scenario.json: instructions[2].at is 5, but service 2 is not published before 9 s',
  ],
  [
    'an instruction after the end',
    { ...SMALL, instructions: [{ ...publish, at: 61 }] },
    'scenario.json: instructions[0].at is 61, but the scenario ends after 60 s',
  ],
])('%s is one sentence', async (_name, raw, sentence) => {
  const error = await read(raw).then(
    () => undefined,
    (reason: Error) => reason,
  )
  expect(error?.name).toMatch(/^(Settings|Input)Error$/)
  expect(error?.message).toContain(sentence)
  expect(error?.message).not.toContain('\n')
})

test.each([
  ['pairs', { kind: 'random-regular', degree: 1 }, 'leads to 2 of 10 nodes'],
  ['regions that know only themselves', { kind: 'regions', degree: 4, local: 1 }, 'leads to 5 of 10 nodes'],
  ['a link that is missing', { kind: 'edges', edges: [[0, 1]] }, 'leads to 2 of 10 nodes'],
])('a mesh in parts is one sentence before anything runs: %s', async (_name, topology, sentence) => {
  const matrix = [
    [1, 2],
    [2, 1],
  ]
  const scenario = await read({ ...SMALL, topology, links: { latencyMs: { regions: ['a', 'b'], matrix } } })
  expect(() => planOf(scenario)).toThrow(sentence)
})

test('files that a scenario names are relative to it, and end up in it', async () => {
  const folder = await tempDir()
  await writeFile(join(folder, 'silent.json'), '{ "REDIRECT": "never" } // as its node has it')
  await writeFile(join(folder, 'mesh.csv'), 'from,to\n7,3\n3,12\n12,7\n')
  const raw = {
    ...SMALL,
    nodes: 3,
    groups: [GROUPS[0], { ...GROUPS[1], policy: 'silent.json' }],
    topology: { kind: 'file', path: 'mesh.csv' },
  }
  await writeFile(join(folder, 'scenario.json'), JSON.stringify(raw))
  const scenario = await readScenario(join(folder, 'scenario.json'))
  expect(scenario.groups[1]?.policy).toEqual({ REDIRECT: 'never' })
  const edges = [
    [1, 0],
    [0, 2],
    [2, 1],
  ]
  expect(scenario.topology).toEqual({ kind: 'edges', edges })
  // it is whole, and a scenario itself
  expect(await read(scenario)).toEqual(scenario)

  await writeFile(
    join(folder, 'mesh.gml'),
    'graph [ node [ id 3 ] edge [ source 7 target 3 latency 4 ] edge [ target 12 source 3 ] edge [ source 12 target 7 ] ]',
  )
  const gml = { ...raw, topology: { kind: 'file', path: 'mesh.gml' } }
  expect((await wholeScenario(gml, { file: 'x', folder })).topology).toEqual({ kind: 'edges', edges })
  await expect(wholeScenario({ ...gml, nodes: 4 }, { file: 'x', folder })).rejects.toThrow(
    'x: nodes is 4, but mesh.gml links 3 nodes; they must be equal',
  )

  await writeFile(join(folder, 'mesh.csv'), 'from;to\n')
  await expect(wholeScenario(raw, { file: 'x', folder })).rejects.toThrow('mesh.csv has no links; it must have lines')
  await writeFile(join(folder, 'mesh.csv'), '7,3\n3,3\n')
  await expect(wholeScenario(raw, { file: 'x', folder })).rejects.toThrow('mesh.csv joins node 3 to itself')
})
