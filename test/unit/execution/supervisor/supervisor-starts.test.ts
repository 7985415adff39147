import { describe, expect, it } from 'vitest'
import {
  MAX_OVERDUE_STARTS,
  MAX_OVERDUE_STARTS_OF_AUTHOR,
  START_OVERDUE_MS,
} from '../../../../src/execution/constants.ts'
import type { Plan } from '../../../../src/execution/index.ts'
import { GRANT, START_MS, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'

const IDS = ['a', 'b', 'c', 'd', 'e']
const PLENTY = () => ({ memoryBytes: 2 ** 40, cpuMillicores: 100_000, diskBytes: 2 ** 40, pids: 100_000, runs: 100 })
const WAITS = /^waits for a start/

describe('starts at once', () => {
  const bench = useBench()

  /** The starts of the engine that have begun, in their order; each goes on until it is let go. */
  function slowStarts() {
    const begun: string[] = []
    const gates = new Map<string, PromiseWithResolvers<void>>()
    bench.engine.onStart = ({ service }: Plan) => {
      const gate = Promise.withResolvers<void>()
      begun.push(service)
      gates.set(service, gate)
      return gate.promise
    }
    const letGo = (id: string) => gates.get(id)?.resolve()
    return {
      begun,
      letGo,
      /** All that begins from now on starts at once. */
      letAllGo() {
        bench.engine.onStart = ({ service }) => void begun.push(service)
        for (const id of gates.keys()) letGo(id)
      },
    }
  }

  const waits = (id: string) => WAITS.test(bench.record(id)?.detail ?? '')

  /** The first two of five are starting, the others wait. */
  async function twoOfFive() {
    const starts = slowStarts()
    const supervisor = bench.start({ startsAtOnce: 2, limits: PLENTY })
    for (const id of IDS) supervisor.run(serviceOf(id), GRANT)
    await bench.until(() => starts.begun.length === 2 && IDS.slice(2).every(waits))
    return { supervisor, ...starts }
  }

  it('are bounded; the others wait in their order, say so, and have no handle', async () => {
    const { begun, letGo, letAllGo } = await twoOfFive()
    expect(begun).toEqual(['a', 'b'])
    for (const id of ['c', 'd', 'e']) {
      expect(bench.record(id)).toMatchObject({ state: 'fetching', detail: expect.stringMatching(WAITS) })
      expect(bench.record(id)?.handle ?? null).toBeNull()
    }
    letGo('b')
    await bench.reaches('b', 'running')
    await bench.reaches('c', 'starting')
    expect(bench.record('c')?.detail).toBe('')
    await bench.until(() => begun.length === 3)
    expect(begun).toEqual(['a', 'b', 'c'])
    letAllGo()
    await bench.until(() => IDS.every((id) => bench.state(id) === 'running'))
    expect(begun).toEqual(IDS)
  })

  it('one that takes too long goes on, and the next one begins', async () => {
    const { begun, letGo, letAllGo } = await twoOfFive()
    await bench.clock.advance(START_OVERDUE_MS)
    await bench.until(() => begun.length === 4)
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
    expect(waits('e')).toBe(true)
    letGo('a')
    await bench.reaches('a', 'running')
    expect(waits('e')).toBe(true)
    letAllGo()
    await bench.until(() => IDS.every((id) => bench.state(id) === 'running'))
  })

  it('are bounded also where the engine hangs', async () => {
    const { begun, letAllGo } = slowStarts()
    const ids = Array.from({ length: MAX_OVERDUE_STARTS + 2 }, (_, index) => `s${index}`)
    const supervisor = bench.start({ startsAtOnce: 1, limits: PLENTY })
    for (const id of ids) supervisor.run(serviceOf(id, {}, { author: `author of ${id}` }), GRANT)
    for (let overdue = 1; overdue <= MAX_OVERDUE_STARTS; overdue++) {
      await bench.until(() => begun.length === overdue)
      await bench.clock.advance(START_OVERDUE_MS)
    }
    await bench.clock.advance(10 * START_OVERDUE_MS)
    expect(begun).toEqual(ids.slice(0, MAX_OVERDUE_STARTS))
    letAllGo()
    await bench.until(() => ids.every((id) => bench.state(id) === 'running'))
  })

  it('of an author whose starts hang leave room for those of others', async () => {
    const { begun, letAllGo } = slowStarts()
    const supervisor = bench.start({ startsAtOnce: 1, limits: PLENTY })
    const hanging = Array.from({ length: MAX_OVERDUE_STARTS }, (_, index) => `h${index}`)
    for (const id of hanging) supervisor.run(serviceOf(id), GRANT)
    supervisor.run(serviceOf('other', {}, { author: 'another' }), GRANT)
    for (let overdue = 1; overdue <= MAX_OVERDUE_STARTS_OF_AUTHOR; overdue++) {
      await bench.until(() => begun.length === overdue)
      await bench.clock.advance(START_OVERDUE_MS)
    }
    await bench.until(() => begun.length > MAX_OVERDUE_STARTS_OF_AUTHOR)
    expect(begun).toEqual([...hanging.slice(0, MAX_OVERDUE_STARTS_OF_AUTHOR), 'other'])
    letAllGo()
    await bench.until(() => [...hanging, 'other'].every((id) => bench.state(id) === 'running'))
  })

  it('one that is stopped while it waits starts nothing, and the next one takes its turn', async () => {
    const { supervisor, begun, letAllGo } = await twoOfFive()
    await supervisor.stop('c', { why: 'enough nodes run it' })
    expect(bench.record('c')).toMatchObject({ state: 'stopped', detail: 'enough nodes run it' })
    letAllGo()
    await bench.until(() => ['a', 'b', 'd', 'e'].every((id) => bench.state(id) === 'running'))
    expect(begun).toEqual(['a', 'b', 'd', 'e'])
  })

  it('a task that was stopped while it waited may begin again', async () => {
    const { begun, letAllGo } = slowStarts()
    const supervisor = bench.start({ startsAtOnce: 1, limits: PLENTY })
    supervisor.run(serviceOf('a'), GRANT)
    await bench.until(() => begun.length === 1)
    supervisor.run(serviceOf('t', { kind: 'task' }), GRANT)
    await bench.until(() => waits('t'))
    await supervisor.stop('t', { why: 'the node is drained' })
    letAllGo()
    supervisor.run(serviceOf('t', { kind: 'task' }), GRANT)
    await bench.reaches('t', 'running')
    expect(begun).toEqual(['a', 't'])
  })

  it('one that expires while it waits starts nothing', async () => {
    const { begun, letAllGo } = slowStarts()
    const supervisor = bench.start({ startsAtOnce: 1, limits: PLENTY })
    supervisor.run(serviceOf('a'), GRANT)
    await bench.until(() => begun.length === 1)
    supervisor.run(serviceOf('b', {}, { expires: START_MS / 1000 + 1 }), GRANT)
    await bench.until(() => waits('b'))
    await bench.clock.advance(1000)
    // its capacity is free, although the start before it goes on
    await bench.until(() => !supervisor.running().includes('b'))
    expect(bench.record('b')).toMatchObject({ state: 'stopped', detail: 'it expired' })
    letAllGo()
    await bench.reaches('a', 'running')
    expect(begun).toEqual(['a'])
  })

  it('those that wait when the node closes begin with its next start, and what is adopted does not wait', async () => {
    const { begun, letGo } = slowStarts()
    const first = bench.start({ startsAtOnce: 1, limits: PLENTY })
    first.run(serviceOf('a'), GRANT)
    await bench.until(() => begun.length === 1)
    letGo('a')
    await bench.reaches('a', 'running')
    for (const id of ['b', 'c']) first.run(serviceOf(id), GRANT)
    await bench.until(() => begun.length === 2 && waits('c'))
    const closed = first[Symbol.asyncDispose]()
    letGo('b')
    await closed
    expect(begun).toEqual(['a', 'b'])
    expect(bench.state('c')).toBe('fetching')

    // in the new process it waits for its code, and for nothing else
    const code = Promise.withResolvers<void>()
    bench.code.onObtain = () => code.promise
    const { begun: again, letAllGo } = slowStarts()
    const second = bench.start({ startsAtOnce: 1, limits: PLENTY })
    await second.boot()
    await bench.until(() => ['a', 'b'].every((id) => bench.state(id) === 'running') && !waits('c'))
    expect(bench.record('c')).toMatchObject({ state: 'fetching', detail: '' })
    code.resolve()
    await bench.until(() => again.length === 1)
    expect(again).toEqual(['c'])
    letAllGo()
    await bench.reaches('c', 'running')
  })

  it('a start that waits for its engine holds up no other', async () => {
    const { begun, letAllGo } = slowStarts()
    const supervisor = bench.start({ startsAtOnce: 1, limits: PLENTY })
    bench.engine.leave()
    for (const id of ['a', 'b']) supervisor.run(serviceOf(id), GRANT)
    await bench.until(() => ['a', 'b'].every((id) => /is tried again/.test(bench.record(id)?.detail ?? '')))
    bench.engine.comeBack()
    letAllGo()
    await bench.clock.advance(60_000)
    await bench.until(() => ['a', 'b'].every((id) => bench.state(id) === 'running'))
    expect(begun.toSorted()).toEqual(['a', 'b'])
  })
})
