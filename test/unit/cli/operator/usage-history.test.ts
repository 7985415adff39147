import { expect } from 'vitest'
import { sparkline } from '../../../../src/cli/output/sparkline.ts'
import { test } from '../../../fixtures/program/shell.ts'

const MINUTE_MS = 60_000
const MIB = 2 ** 20
const pointsFrom = (start: number) =>
  Array.from({ length: 10 }, (_, index) => ({
    ...{ at: start + index * MINUTE_MS, runningMs: MINUTE_MS, cpuMs: index * 600 },
    ...{ receivedBytes: 6_144_000, sentBytes: 0, memoryBytes: index === 4 ? undefined : (index + 1) * MIB },
  }))

test('usage: how much a run used over time, with the newest and the most', async ({ withNode: shell }) => {
  const id = await shell.receive()
  shell.node.usagePoints = pointsFrom(Date.now() - 9 * MINUTE_MS)
  const { code, stdout } = await shell.run('usage hello')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Run run is running: 10 periods over 10m/)
  expect(stdout).toMatch(/\nCPU +9.0% +9.0% +▁▂▃▃▄▅▆▆▇█\n/)
  expect(stdout).toMatch(/\nMEMORY +10 MiB +10 MiB +▂▂▃▄ ▅▆▇▇█\n/)
  expect(stdout).toMatch(/\nIN +100 KiB\/s .*\nOUT +0 B\/s .*\nDISK +- +-\n$/)
  const { values } = await shell.json('usage hello --since 150s')
  expect(values).toMatchObject([
    { service: id, runId: 'run', points: [{ cpuMs: 4200 }, { cpuMs: 4800 }, { cpuMs: 5400 }] },
  ])
  shell.node.usagePoints = []
  expect((await shell.run('usage hello')).stdout).toBe('Run run is running; nothing of it is kept.\n')
})

test('usage: a service or a run that is not there is one sentence', async ({ withNode: shell }) => {
  await shell.receive()
  await shell.refused('usage nothing', 'no service "nothing" is known here', { code: 1 })
  const hostile = ['usage', 'hello', '--run', '../x\u001b[2J']
  await shell.refused(hostile, /^there is no run "[^"]*" of it here$/, { code: 1 })
  expect((await shell.run(hostile)).stderr).not.toContain('\u001b')
})

test('a line of bars is as wide as it may be, and stands a clock that is set back', () => {
  const samples = Array.from({ length: 500 }, (_, at) => ({ at, value: at }))
  expect(sparkline(samples, { width: 8, max: 499 })).toBe('▂▃▄▄▅▆▇█')
  const back = [5, 9, 1, 3].map((at) => ({ at, value: 1 }))
  expect(sparkline(back, { width: 4, max: 1 })).toMatch(/^[█ ]{1,4}$/)
  expect(sparkline([], { width: 4, max: 0 })).toBe('')
})
