import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { expect } from 'vitest'
import { InterruptedError } from '../../../src/cli/errors.ts'
import { test as base } from '../../fixtures/program/shell.ts'
import { system } from '../../fixtures/system.ts'

const SCENARIO = {
  title: 'Three hundred nodes',
  nodes: 300,
  seconds: 60,
  groups: [{ name: 'all', share: 1, policy: { REDIRECT: 'always' } }],
  topology: { kind: 'random-regular', degree: 6 },
  instructions: [{ at: 1, do: 'publish', count: 20, arrival: { kind: 'rate', everySeconds: 2 } }],
}

const test = base.extend('scenario', ({ shell }) => {
  const write = (change: object = {}) => writeFileSync(shell.path('s.json'), JSON.stringify({ ...SCENARIO, ...change }))
  write()
  return { write }
})

/** Ctrl-C after so many turns of the simulation. */
function leaveAfter(turns: number) {
  const leave = new AbortController()
  let left = turns
  const clock: typeof system.clock = {
    ...system.clock,
    async nextTurn() {
      if (--left === 0) leave.abort(new InterruptedError('interrupted', 130))
      await system.clock.nextTurn()
    },
  }
  return { clock, signal: leave.signal }
}

test('a sweep says what came of each value, as a table and as JSON, and two of its values are compared', async ({
  shell,
  scenario,
}) => {
  scenario.write({ nodes: 30, instructions: [{ at: 1, do: 'publish', from: { node: 0 } }] })
  const line = 'sim sweep s.json --vary redirectionDepth=0,8 --seeds 3 --out sweep'
  const { code, values } = await shell.json(line)
  expect(code).toBe(0)
  const { rows } = values[0] as { rows: { variant: string; metric: string; mean: number; seeds: number }[] }
  const of = (variant: string) => rows.find((row) => row.variant === variant && row.metric === 'coverage')
  expect(of('redirectionDepth=0')).toMatchObject({ seeds: 3, mean: expect.closeTo(0.2222, 3) })
  expect(of('redirectionDepth=8')).toMatchObject({ seeds: 3, mean: 1, low: 1, high: 1 })

  // nothing is run again
  const { stdout, stderr } = await shell.run(line)
  expect(stderr).not.toContain('more run')
  expect(stdout).toMatch(/^VARIANT +coverage +deliveryLatencyP50Ms/)
  expect(stdout).toMatch(/^redirectionDepth=8 +1 \[1, 1\] /m)

  const compared = await shell.run('sim compare sweep/runs/redirectionDepth=0 sweep/runs/redirectionDepth=8')
  expect(compared.code).toBe(0)
  expect(compared.stdout).toMatch(/^coverage +0\.2222 .*differs$/m)
})

test('Ctrl-C in a sweep keeps the runs that are done, and the same command goes on', async ({ shell, scenario: _ }) => {
  const line = 'sim sweep s.json --vary links.loss=0,0.1 --seeds 2 --events none --out'
  const whole = await shell.json(`${line} whole`)
  const leave = new AbortController()
  const onError = (text: string) => {
    if (text.includes('more runs take about')) leave.abort(new InterruptedError('interrupted', 130))
  }
  const left = await shell.run(`${line} sweep`, { signal: leave.signal, onError })
  expect([left.code, left.stdout]).toEqual([130, ''])
  expect(left.stderr).toContain('1 of 4 runs are done and stay in sweep; the same command goes on with the others.\n')
  const again = await shell.run(`${line} sweep`)
  expect(again.stderr).toContain('2 more runs take about')
  const { values } = await shell.json(`${line} sweep`)
  expect(values).toEqual([{ ...whole.values[0], out: 'sweep' }])
})

test('Ctrl-C in a run leaves whole lines of events and says how to go on; nothing takes it for a whole run', async ({
  shell,
  scenario: _,
}) => {
  const left = await shell.run('sim run s.json --events all --out left', leaveAfter(1))
  expect([left.code, left.stdout]).toEqual([130, ''])
  expect(left.stderr).toContain('left has what was measured by then; results.json says "complete": false. ')
  expect(left.stderr).toContain('The same command with a new --out runs it again from the start.\n')
  const lines = zstdDecompressSync(readFileSync(shell.path('left/events.ndjson.zst')))
    .toString()
    .split('\n')
  expect(lines.pop()).toBe('')
  const results = JSON.parse(readFileSync(shell.path('left/results.json'), 'utf8'))
  expect(results).toMatchObject({ complete: false, sha256: null, violations: {}, events: { written: lines.length } })

  await shell.run('sim run s.json --events all --out whole')
  const all = zstdDecompressSync(readFileSync(shell.path('whole/events.ndjson.zst')))
    .toString()
    .split('\n')
  expect(lines.length).toBeGreaterThan(100)
  expect(lines.length).toBeLessThan(all.length - 1)
  expect(lines).toEqual(all.slice(0, lines.length))

  await shell.refused('sim compare whole left', /left holds a run that was interrupted, which compares with nothing; /)
  await shell.refused('sim verify left', /^left holds a run that was interrupted, so there is nothing to compare; /)
  await shell.refused('sim run s.json --out left', /left is not empty; name a new folder$/)
})

test('Ctrl-C in a comparison writes nothing and says so', async ({ shell, scenario: _ }) => {
  await shell.run('sim run s.json --events none --out out')
  const signal = AbortSignal.abort(new InterruptedError('interrupted', 130))
  for (const line of ['sim compare out out', 'sim compare out out --report r.html']) {
    expect(await shell.run(line, { signal })).toEqual({
      ...{ code: 130, stdout: '' },
      stderr: 'Nothing was written; the runs are as they were, and the same command compares them again.\n',
    })
  }
  expect(existsSync(shell.path('r.html'))).toBe(false)
  const { stdout } = await shell.run('sim compare out out --report r.html')
  expect([stdout, existsSync(shell.path('r.html'))]).toEqual([expect.stringContaining('coverage'), true])
})

test('Ctrl-C in random scenarios says how many broke nothing', async ({ shell }) => {
  expect(await shell.run('sim fuzz --runs 1000000', leaveAfter(3))).toEqual({
    ...{ code: 130, stdout: '' },
    stderr: '2 scenarios break no invariant. Nothing was written; the same command begins again with the first.\n',
  })
  expect(existsSync(shell.path('fuzz-failure.json'))).toBe(false)
})

test('a replay shows the state of one node', async ({ shell, scenario: _ }) => {
  await shell.run('sim run s.json --events none --out out')
  const one = await shell.run('sim replay out --until delivered@7 --node 7')
  const [, table = ''] = one.stdout.split(/^After event .*:\n/m)
  expect(table.trim().split('\n')).toEqual([
    expect.stringMatching(/^NODE +SERVICE +DEPTH +VERDICT +SENT ON +RUN$/),
    expect.stringMatching(/^7 +\d+ +\d+ +- +- +-$/),
  ])
  const { values } = await shell.json('sim replay out --until delivered@7')
  expect((values[0] as { nodes: unknown[] }).nodes.length).toBeGreaterThan(1)
  await shell.refused(
    'sim replay out --until delivered@7 --node 300',
    '--node names node 300, but the last node is 299',
  )
  await shell.refused('sim replay out --until graylisted', /^graylisted never comes: /, { code: 1 })
})
