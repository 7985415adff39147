import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { test } from '../../fixtures/program/shell.ts'

const SCENARIO = {
  title: 'Four nodes <script>alert(1)</script>',
  nodes: 4,
  seconds: 20,
  groups: [{ name: 'all', share: 1, policy: { REDIRECT: 'always' } }],
  topology: { kind: 'random-regular', degree: 3 },
  instructions: [{ at: 5, do: 'publish', from: { node: 0 } }],
  assertions: [{ metric: 'coverage', op: '>=', value: 1 }],
}

test('sim run writes a folder, sim verify and sim replay run it again', { timeout: 240_000 }, async ({ shell }) => {
  writeFileSync(shell.path('s.json'), JSON.stringify(SCENARIO))
  const { values, code } = await shell.json('sim run s.json --engine simulated --events all --out out')
  expect(code).toBe(0)
  expect(values).toEqual([
    expect.objectContaining({ engine: 'simulated', depth: 'libp2p', complete: true, violations: {}, out: 'out' }),
  ])
  const report = readFileSync(shell.path('out/report.html'), 'utf8')
  expect(report).toContain('<svg ')
  expect(report).toContain('Four nodes &lt;script&gt;alert(1)&lt;/script&gt;')
  expect(report).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)

  const verified = await shell.json('sim verify out')
  expect(verified.values).toEqual([expect.objectContaining({ same: true, differences: [] })])

  const replayed = await shell.json('sim replay out --until delivered --steps 1')
  expect(replayed.values).toEqual([
    expect.objectContaining({ stoppedAt: expect.any(Number), nodes: expect.any(Array) }),
  ])

  // a seed that was changed by hand is found
  const file = shell.path('out/scenario.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"seed": "1"', '"seed": "2"'))
  const other = await shell.run('sim verify out')
  expect([other.code, other.stderr.trim()]).toEqual([
    1,
    expect.stringMatching(/^the events differ: sha256 \w{64} instead of \w{64}$/),
  ])
})

test('what is wrong is one sentence, before anything runs', async ({ shell }) => {
  const write = (name: string, change: object) =>
    writeFileSync(shell.path(name), JSON.stringify({ ...SCENARIO, ...change }))
  write('s.json', {})
  write('key.json', { node: 4 })
  write('share.json', { groups: [{ name: 'all', share: 0.5 }] })
  write('apart.json', { topology: { kind: 'edges', edges: [[0, 1]] } })
  write('refused.json', { dht: true })
  write('metric.json', { assertions: [{ metric: 'covrage', op: '>=', value: 1 }] })
  writeFileSync(shell.path('c.json'), '{"REDIRCT":"never"}')
  writeFileSync(
    shell.path('bad.mjs'),
    'export default { id: "Bad", match: [], start() {}, capture() {}, assert() {}, dump() {} }',
  )
  mkdirSync(shell.path('full/x'), { recursive: true })
  for (const [line, said] of [
    ['sim run no.json', /^no\.json is not there/],
    ['sim run key.json', /^key\.json: node \(4\) is not a known key; did you mean nodes\?/],
    ['sim run share.json', /^share\.json: groups have shares that sum to 0\.5; they must sum to 1/],
    ['sim run apart.json', /topology/],
    ['sim run metric.json', /assertions\[0\]\.metric is "covrage", which nothing measures; did you mean coverage\?/],
    ['sim run s.json --engine vitual', /^--engine is "vitual"; allowed is/],
    ['sim run refused.json --out none', /^refused\.json: dht is true, which the virtual engine does not have; /],
    ['sim run s.json --out /proc/none', /^\/proc\/none cannot be made: /],
    ['sim run s.json --out s.json/x', /s\.json\/x cannot be made: .*/],
    ['sim sweep s.json --vary links.loss=0,0.1 --out /proc/none/x', /^\/proc\/none\/x cannot be made: /],
    ['sim run s.json --seed=', /^--seed is ""; allowed is text of 1 to 200 bytes/],
    [`sim run s.json --seed ${'é'.repeat(101)}`, /^--seed is "é+\.{3}; allowed is text of 1 to 200 bytes/],
    ['sim run s.json --out full', /full is not empty; name a new folder/],
    ['sim run s.json --observers no.mjs', /^no\.mjs cannot be loaded: /],
    ['sim run s.json --observers bad.mjs', /^bad\.mjs: id is "Bad"; it must be lower-case words with hyphens/],
    ['policy impact c.json --scenario s.json --share 2', /^--share is "2"; allowed is a number above 0 and at most 1/],
    ['policy impact c.json --scenario s.json', /^c\.json: REDIRCT .* did you mean REDIRECT\?/],
    ['sim sweep s.json --vary nodes --out x', /^--vary is "nodes"; allowed is a key with values/],
    ['sim sweep s.json --vary links.lost=1,2 --out x', /did you mean loss\?/],
    ['sim sweep s.json --vary nodes=5 --vary nodes=6 --out x', /^--vary is given 2 times; a sweep changes one key/],
    ['sim compare no full', /no has no results\.json/],
    ['sim verify no', /is not there; name a folder that `thundercloud sim run --out` has written/],
    ['sim replay no --until deliverd', /^--until is "deliverd"; did you mean delivered\?/],
  ] as const) {
    const { code, stderr } = await shell.run(line)
    expect([line, code, stderr.trim().split('\n')]).toEqual([line, 2, [expect.stringMatching(said)]])
  }
})
