import { expect, it } from 'vitest'
import type { RunRecord } from '../../../src/base/run-record.ts'
import { runReasons } from '../../../src/services/run-reasons.ts'

it('a publisher that asks receives what a run waits for before it begins', () => {
  const run: RunRecord = {
    runId: 'r',
    service: 's',
    executor: 'host',
    state: 'fetching',
    wanted: 'run',
    plan: {},
    handle: null,
    restarts: 0,
    detail: 'fetching waits for disk space: the code store may use 8 MiB',
    createdAt: 0,
    updatedAt: 0,
  }
  const facts = { run, healthy: false, service: { kind: 'service' as const }, healthyMs: 1000 }
  expect(runReasons(facts)).toEqual([{ rule: 'run:health', outcome: 'defer', message: run.detail }])
  expect(runReasons({ ...facts, run: { ...run, detail: '' } })).toEqual([])
})

it('a run that starts again names why, as long as that is known', () => {
  const run: RunRecord = {
    ...{ runId: 'r', service: 's', executor: 'host', state: 'starting', wanted: 'run', plan: {}, handle: {} },
    ...{ restarts: 2, createdAt: 0, updatedAt: 0 },
  }
  const messageOf = (detail: string) =>
    runReasons({ run: { ...run, detail }, healthy: false, service: { kind: 'service' }, healthyMs: 1000 })[0]?.message
  expect(messageOf('it failed; again in 2 s')).toBe('restart 2: it failed; again in 2 s')
  expect(messageOf('')).toBe('restart 2')
})
