import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { InterruptedError } from '../../../../src/cli/errors.ts'
import { createOutput } from '../../../../src/cli/output/output.ts'
import { test } from '../../../fixtures/program/shell.ts'

const HELLO = fileURLToPath(new URL('../../../../configs/examples/hello-web', import.meta.url))
const MIB = 2 ** 20

const usageOf = (cpuMs: number, memoryBytes: number) => {
  const period = { runningMs: 60_000, cpuMs, receivedBytes: 6_144_000, sentBytes: 0 }
  return { ...period, memoryBytes, diskBytes: 0, at: 1, period }
}

test('top: the busiest run first, with what it uses; --json is one object a look', async ({ withNode: shell }) => {
  for (const [name, cpuMs] of [
    ['calm', 600],
    ['busy\u001b[2J', 30_000],
  ] as const) {
    const id = await shell.receive()
    const run = {
      runId: id,
      executor: 'host',
      state: 'running',
      since: 1,
      restarts: 2,
      network: { mode: 'none' },
    } as const
    const view = shell.node.service(id)
    shell.node.put({ ...view, name, state: 'running', run: { ...run, usage: usageOf(cpuMs, 64 * MIB) } })
  }
  const { values } = await shell.json('top --once')
  expect(values).toMatchObject([
    {
      event: 'top',
      runs: [
        { name: 'busy\u001b[2J', cpu: 0.5, receivedRate: 102_400, restarts: 2 },
        { name: 'calm', cpu: 0.01 },
      ],
    },
  ])
  const { stdout } = await shell.run('top --once')
  expect(stdout).toMatch(/^2 runs, .*\nNAME +STATE +CPU[^\n]*\nbusy.* running +50.0% +64 MiB.*\ncalm .* 1.0%/)
  expect(stdout).not.toContain('\u001b')
})

test('top: a run that was not measured yet has no measures, and not zeros', async ({ withNode: shell }) => {
  const id = await shell.receive()
  const network = { mode: 'none' } as const
  const run = { runId: id, executor: 'host', state: 'running', since: 1, restarts: 0, network } as const
  shell.node.put({ ...shell.node.service(id), state: 'running', run })
  const { values } = await shell.json('top --once')
  expect(values).toMatchObject([{ runs: [{ id, state: 'running' }] }])
  const [row = {}] = (values[0]?.runs ?? []) as object[]
  expect(Object.keys(row)).toEqual(['id', 'name', 'state', 'executor', 'restarts'])
  expect((await shell.run('top --once')).stdout).toMatch(/\nhello +running +(- +){6}0 +host/)
})

test('top: looks once where the output is no terminal; q ends it at one, and Ctrl-C as it does elsewhere', async ({
  withNode: shell,
}) => {
  // without the look alone, none of these would end
  expect(await shell.run('top')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('Nothing runs here.'),
  })
  for (const [answer, code] of [
    ['xq', 0],
    ['\u0003', 130],
  ] as const) {
    expect(await shell.run('top', { terminal: true, answer })).toMatchObject({ code, stderr: '' })
  }
})

test('a frame is drawn over the one before at a terminal, and fits into it', () => {
  const said: string[] = []
  const stdout = { isTTY: true, columns: 10, rows: 4, write: (text: string) => void said.push(text) }
  const out = createOutput({ stdout, stderr: stdout, json: false, clock: manualClock() })
  out.frame({}, () => ['one', 'a line that is long'])
  out.frame({}, () => ['1', '2', '3', '4', '5'])
  expect(said.join('')).toBe('one\na line th\n\u001b[2A\u001b[J1\n2\n3\n')
})

test('publish --watch: a table of what each node does, until Ctrl-C', async ({ withNode: shell }) => {
  cpSync(HELLO, shell.path('hello'), { recursive: true })
  const leave = new AbortController()
  const { ask } = shell.node
  Object.assign(shell.node, {
    async ask(id: string) {
      shell.node.addReceipt(id, 'refused')
      shell.node.addReceipt(id, 'running')
      return await ask(id)
    },
  })
  const { code, values } = await shell.json('publish hello --watch', {
    signal: leave.signal,
    onOutput: (text) => text.includes('"answers"') && leave.abort(new InterruptedError('interrupted', 130)),
  })
  expect(code).toBe(130)
  expect(values.find(({ event }) => event === 'answers')).toMatchObject({
    ...{ name: 'hello-web', replicas: 1, running: 1 },
    nodes: [{ state: 'running' }, { state: 'refused' }],
  })
  await shell.refused('publish hello --watch --wait', 'name one of them')
  await shell.refused('publish hello --watch --join /ip4/127.0.0.1/tcp/1', '--watch asks a running node')
})
