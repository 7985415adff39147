import { expect } from 'vitest'
import { InterruptedError } from '../../../src/cli/errors.ts'
import type { DrainView } from '../../../src/node/types.ts'
import { test } from '../../fixtures/program/shell.ts'

const ID = 'bafyreibc5fdmlzydzzp4kzfrqu6wplovoyfm4qq6dubs3zzbtnrv43p62y'
const OTHER = 'bafyreie3ve3i4vmzn3vghcezljktyivdgpibv2evhkhdwak5ymww4dtjia'
const one = { id: ID, name: 'web', kind: 'service', why: 'it runs until another node runs it' } as const
const two = { id: OTHER, name: 'job\u001b[2J', kind: 'task', why: 'a task is waited for' } as const
const since = 1_700_000_000
const view = (waiting: DrainView['waiting'], cut: DrainView['cut'] = []): DrainView => ({
  ...{ since, waiting, cut },
  done: waiting.length === 0,
})

test('drain: shows what it waits for until nothing runs, and what the deadline ended', async ({ withNode: shell }) => {
  const looks = [view([two]), view([], [{ id: OTHER, name: 'job' }])]
  const asked: unknown[] = []
  Object.assign(shell.node, {
    drain(options: unknown) {
      asked.push(options)
      return view([one, two])
    },
    drainView: () => looks.shift(),
  })
  const { code, values } = await shell.json('drain --deadline 10m')
  expect([code, asked]).toEqual([0, [{ deadlineMs: 600_000 }]])
  expect(values).toEqual([
    { event: 'waiting', ...one },
    { event: 'waiting', ...two },
    { event: 'ended', id: ID, name: 'web', cut: false },
    { event: 'ended', id: OTHER, name: two.name, cut: true },
    view([], [{ id: OTHER, name: 'job' }]),
  ])
})

test('drain: what begins to be waited for later counts, and the bar does not go back', async ({ withNode: shell }) => {
  const looks = [view([one]), view([one, two]), view([two]), view([])]
  Object.assign(shell.node, { drain: () => view([one]), drainView: () => looks.shift() })
  const { code, stderr } = await shell.run('drain', { terminal: true })
  expect(code).toBe(0)
  const counts = [...stderr.matchAll(/\] (\d) of (\d)/g)].map(([, done, total]) => `${done}/${total}`)
  expect(counts).toContain('1/2')
  expect(counts.filter((count) => count === '0/0' || count === '1/1')).toEqual([])
})

test('drain: --detach returns at once; undrain ends it; list says so meanwhile', async ({ withNode: shell }) => {
  expect((await shell.run('drain --detach --deadline none')).stdout).toMatch(/^Nothing runs here any more/)
  expect(shell.node.drained).toMatchObject({ deadline: undefined })
  expect((await shell.run('list')).stderr).toMatch(/drained for maintenance.*`thundercloud undrain`/)
  for (const undrained of [true, false]) expect((await shell.json('undrain')).values).toEqual([{ undrained }])
  await shell.refused(
    'drain --deadline soon',
    '--deadline is "soon"; allowed is a time like "90s", "5m" or "2h", or "none"',
  )
})

test('drain: Ctrl-C ends the command, and not the drain', async ({ withNode: shell }) => {
  const leave = new AbortController()
  Object.assign(shell.node, {
    drain: () => view([one]),
    drainView: () => {
      leave.abort(new InterruptedError('interrupted', 130))
      return view([one])
    },
  })
  const { code, stderr } = await shell.run('drain', { signal: leave.signal })
  expect(code).toBe(130)
  expect(stderr).toContain('The drain goes on; `thundercloud undrain` ends it.')
})
