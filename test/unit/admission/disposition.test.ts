import { expect, test } from 'vitest'
import { dispositionOf, finalReason, finalVerdict, moved } from '../../../src/admission/disposition.ts'
import type { RunRecord } from '../../../src/base/run-record.ts'
import { runReasons } from '../../../src/services/run-reasons.ts'

const VERDICT = { run: false as const, redirect: true, rank: 1, reasons: [] }
const waits = moved(VERDICT, { executor: 'docker' }, { executor: 'host' })

test('a version that was replaced does not wait, and is not redirected', () => {
  const why = finalReason({ replaced: true, begunTask: false })
  if (why === undefined) throw new Error('it ends')
  expect(dispositionOf(waits)).toBe('parked')
  for (const verdict of [waits, VERDICT]) expect(dispositionOf(finalVerdict(verdict, why, true))).toBe('refused')
  expect(finalVerdict(waits, why, true).reasons[0]?.message).toMatch(/newer version has replaced it/)
})

test('a task that has begun does not wait, and is redirected', () => {
  const why = finalReason({ replaced: false, begunTask: true })
  if (why === undefined) throw new Error('it ends')
  expect(dispositionOf(finalVerdict(waits, why, true))).toBe('redirected')
  expect(finalReason({ replaced: false, begunTask: false })).toBeUndefined()
})

test('restarts are no reason why a run was stopped', () => {
  const outcomeOf = (state: RunRecord['state']) => {
    const run = { state, restarts: 6, exitCode: undefined, detail: '' } as RunRecord
    return runReasons({ run, healthy: false, service: { kind: 'service' }, healthyMs: 0 }).at(0)?.outcome
  }
  expect([outcomeOf('stopped'), outcomeOf('failed')]).toEqual(['pass', 'defer'])
})
