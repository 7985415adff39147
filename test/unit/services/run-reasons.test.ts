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
