import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Phase, WorkerEvent, WorkerState } from '../../../../src/execution/supervisor/worker-state.ts'
import { isFailing, isHealthy, stopRequestOf } from '../../../../src/execution/supervisor/worker-state.ts'
import { nextState } from '../../../../src/execution/supervisor/worker-transitions.ts'
import type { Run } from '../../../../src/execution/types.ts'
import { GRANT, START_MS, serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'
import { forAll } from '../../../fixtures/property.ts'

const STEADY_MS = 60_000
const run = { handle: 'run' } as unknown as Run
const again = { handle: 'found again' } as unknown as Run
const contextOf = (service: Parameters<typeof serviceOf>[1] = {}) => ({
  spec: { service: serviceOf('a', { restart: 'on-failure', ...service }), grant: GRANT },
  waitMs: (failures: number) => 1000 * (failures + 1),
  steadyMs: STEADY_MS,
})

/** What becomes of a worker of a service without a build. */
const follow = (state: WorkerState, event: WorkerEvent) => nextState(contextOf(), state, event)

const error = new Error('it broke')
const exit = (exitCode: number) => ({ exitCode, reason: 'exit' }) as const
const starting: Phase = { name: 'starting', codeDir: '/c' }
const running: Phase = { name: 'running', run, healthy: false, wasHealthy: false }
const exited: Phase = { name: 'exited', end: exit(1), ranMs: 5, wasHealthy: false, gaveUp: undefined }
const begin = { type: 'begin', now: START_MS } as const
const stop = { type: 'stop', why: 'its author stopped it', graceMs: 7 } as const
const explained = (exitCode: number, updates = false) => ({ type: 'explained', end: exit(exitCode), updates }) as const
const built = { type: 'built', codeDir: '/b' } as const
const failed = { type: 'failed', error } as const

/** a phase, what happens, and the phase that follows */
const TABLE: readonly (readonly [Phase, WorkerEvent, object])[] = [
  [{ name: 'waiting' }, { type: 'forgotten' }, { name: 'over' }],
  [{ name: 'waiting' }, { type: 'adopted', run }, { name: 'started' }],
  [{ name: 'waiting' }, { type: 'lost' }, { name: 'exited', end: { exitCode: 137 } }],
  [{ name: 'waiting' }, begin, { name: 'fetching' }],
  [{ name: 'waiting' }, { type: 'begin', now: START_MS + 86_400_000 }, { name: 'ended', change: { state: 'stopped' } }],
  [{ name: 'fetching' }, { type: 'fetched', codeDir: '/c' }, { name: 'starting', codeDir: '/c' }],
  [{ name: 'building', codeDir: '/c' }, built, { name: 'starting', codeDir: '/b' }],
  [starting, { type: 'started', run }, { name: 'started' }],
  [{ name: 'started', run }, { type: 'journalled' }, running],
  [running, { type: 'reconnected', run: again }, { name: 'running', run: again }],
  [running, { type: 'healthy' }, { name: 'running', healthy: true, wasHealthy: true }],
  [{ ...running, healthy: true, wasHealthy: true }, { type: 'unhealthy' }, { healthy: false, wasHealthy: true }],
  [running, { type: 'gave-up', why: 'too slow' }, { name: 'running', gaveUp: 'too slow' }],
  [running, { type: 'exited', end: exit(1), ranMs: 5 }, exited],
  [exited, explained(0), { name: 'ended', change: { state: 'exited', exitCode: 0 } }],
  [exited, explained(1), { name: 'backing-off', waitMs: 1000, change: { state: 'starting', exitCode: 1 } }],
  [exited, explained(1, true), { name: 'ended', change: { state: 'failed' } }],
  [{ ...exited, gaveUp: 'too slow' }, explained(0), { name: 'ended', change: { state: 'failed' } }],
  [
    { name: 'collecting', run, change: { state: 'exited' } },
    { type: 'collected' },
    { name: 'ended', change: { state: 'exited' } },
  ],
  [{ name: 'backing-off', change: {}, waitMs: 1 }, begin, { name: 'fetching' }],
  [{ name: 'ended', change: {} }, { type: 'journalled' }, { name: 'over' }],
  [{ name: 'failed', error }, { type: 'journalled' }, { name: 'over' }],
  [{ name: 'failed', error }, failed, { name: 'over' }],
  [{ name: 'stopping', why: 'x' }, { type: 'removed' }, { name: 'over' }],
  [{ name: 'stopping', why: 'x' }, failed, { name: 'over' }],
  [{ name: 'fetching' }, failed, { name: 'failed', error }],
]

describe('the next state of a worker', () => {
  it.each(TABLE)('%o, %o: %o', (phase, event, next) => {
    expect(follow({ phase, failures: 0 }, event).phase).toMatchObject(next)
  })

  it('of a service with a build is to build it', () => {
    const state = { phase: { name: 'fetching' }, failures: 0 } as const
    const next = nextState(contextOf({ build: ['make'] }), state, { type: 'fetched', codeDir: '/c' })
    expect(next.phase).toEqual({ name: 'building', codeDir: '/c' })
  })

  it('of a task that leaves something is to take it, where the task has ended with 0', () => {
    const context = contextOf({ kind: 'task', restart: 'never', outputs: ['out'] })
    const phaseAfter = (exitCode: number) =>
      nextState(context, { phase: { ...exited, run }, failures: 0 }, explained(exitCode))
    expect(phaseAfter(0).phase).toEqual({ name: 'collecting', run, change: { state: 'exited', exitCode: 0 } })
    expect(phaseAfter(1).phase).toMatchObject({ name: 'ended', change: { state: 'failed' } })
  })

  it.each([
    ['a stop', { stop }, { name: 'stopping', why: stop.why }],
    ['the node that ends', { close: 'end' }, { name: 'over' }],
    ['the node that detaches', { close: 'detach', stop }, { name: 'over' }],
  ] as const)('what %s interrupts has not failed', (_, asked, next) => {
    const state: WorkerState = { phase: starting, failures: 0, ...asked }
    expect(follow(state, failed).phase).toEqual(next)
  })

  it('a run that exits with the node starts again with it, a stopped one does not', () => {
    const closing: WorkerState = { phase: exited, failures: 0, close: 'end' }
    const ends = (state: WorkerState) => follow(state, explained(143)).phase
    expect(ends(closing)).toMatchObject({ name: 'ended', change: { state: 'starting' } })
    expect(ends({ ...closing, stop })).toMatchObject({ change: { state: 'stopped', detail: stop.why } })
  })

  it('the expiry does not replace a stop, another stop does', () => {
    const stopped = follow({ phase: running, failures: 0 }, stop)
    const expired = follow(stopped, { type: 'expired', why: 'it expired', graceMs: 1 })
    expect(expired.stop).toEqual({ why: stop.why, graceMs: 7 })
    expect(follow(expired, { type: 'stop', why: 'later', graceMs: 0 }).stop?.why).toBe('later')
    expect(stopRequestOf({ ...stopped, stop: undefined, close: 'detach' }, 3)).toBeUndefined()
    expect(stopRequestOf({ ...stopped, stop: undefined, close: 'end' }, 3)).toMatchObject({ graceMs: 3 })
  })

  it('a node that closes twice still detaches', () => {
    const close = (state: WorkerState, detach: boolean) => follow(state, { type: 'close', detach })
    const detached = close({ phase: running, failures: 0 }, true)
    expect([detached.close, close(detached, false).close]).toEqual(['detach', 'detach'])
    expect(close(close({ phase: running, failures: 0 }, false), false).close).toBe('end')
  })

  it('a steady run begins the back-off again', () => {
    const afterRunOf = (ranMs: number) => follow({ phase: { ...exited, ranMs }, failures: 4 }, explained(1))
    expect(afterRunOf(STEADY_MS - 1)).toMatchObject({ failures: 5, phase: { waitMs: 5000 } })
    expect(afterRunOf(STEADY_MS)).toMatchObject({ failures: 1, phase: { waitMs: 1000 } })
  })
})

/** What the worker can answer in each phase: everything that its steps return, and that they fail. */
function outcomesOf(phase: Phase): readonly WorkerEvent[] {
  switch (phase.name) {
    case 'waiting':
      return [begin, { type: 'adopted', run }, { type: 'lost' }, { type: 'forgotten' }, failed]
    case 'fetching':
      return [{ type: 'fetched', codeDir: '/c' }, failed]
    case 'building':
      return [built, failed]
    case 'starting':
      return [{ type: 'started', run }, failed]
    case 'running':
      return [0, 1].map((exitCode) => ({ type: 'exited', end: exit(exitCode), ranMs: exitCode * STEADY_MS }))
    case 'exited':
      return [explained(phase.end.exitCode), explained(phase.end.exitCode, true)]
    case 'collecting':
      return [{ type: 'collected' }, failed]
    case 'backing-off':
      return [begin, failed]
    case 'stopping':
      return [{ type: 'removed' }, failed]
    case 'started':
    case 'ended':
    case 'failed':
      return [{ type: 'journalled' }, failed]
    case 'over':
      return []
  }
}

const REPORTS: readonly WorkerEvent[] = [
  stop,
  { type: 'expired', why: 'it expired', graceMs: 1 },
  { type: 'close', detach: true },
  { type: 'close', detach: false },
  { type: 'healthy' },
  { type: 'unhealthy' },
  { type: 'gave-up', why: 'too slow' },
  { type: 'reconnected', run: again },
]
const step = fc.record({ report: fc.option(fc.constantFrom(...REPORTS)), outcome: fc.nat() })
/** phases that are never left for an earlier one */
const LAST: readonly Phase['name'][] = ['ended', 'failed', 'stopping', 'over']

describe('any order of outcomes, stops and reports', () => {
  it('ends once, says why it was stopped, and is healthy only while it runs', () => {
    forAll(100, [fc.array(step, { maxLength: 40 }), fc.boolean()], (steps, builds) => {
      const context = contextOf(builds ? { build: ['make'] } : {})
      let state: WorkerState = { phase: { name: 'waiting' }, failures: 0 }
      let backOffs = 0
      const take = (event: WorkerEvent) => {
        const before = state
        state = nextState(context, before, event)
        if (state.phase.name === 'backing-off' && before.phase.name === 'exited') {
          backOffs = (before.phase.ranMs >= STEADY_MS ? 0 : backOffs) + 1
          expect(before.stop ?? before.close).toBeUndefined()
        }
        expect(LAST.indexOf(state.phase.name)).toBeGreaterThanOrEqual(LAST.indexOf(before.phase.name))
        if (state.phase.name === 'ended' && before.phase.name === 'exited' && before.stop !== undefined) {
          expect(state.phase.change).toMatchObject({ state: 'stopped', detail: before.stop.why })
        }
        if (state.phase.name === 'failed' && before.phase.name !== 'failed') {
          expect(before.stop ?? before.close).toBeUndefined()
        }
        if (isHealthy(state)) expect(state.phase.name).toBe('running')
        if (before.stop !== undefined) expect(state.stop).toBeDefined()
      }
      for (const { report, outcome } of steps) {
        if (report !== null) take(report)
        const outcomes = outcomesOf(state.phase)
        if (outcomes.length > 0) take(outcomes[outcome % outcomes.length] as WorkerEvent)
        if (state.phase.name === 'backing-off') expect([state.failures, isFailing(state)]).toEqual([backOffs, true])
      }
      // a stop interrupts what waits, and a run that is stopped exits: five outcomes later it is over
      take(stop)
      for (let left = 5; left > 0 && state.phase.name !== 'over'; left--) {
        take(outcomesOf(state.phase).at(-1) as WorkerEvent)
      }
      expect(state.phase.name).toBe('over')
    })
  })
})
