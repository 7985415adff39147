import { expect, test } from 'vitest'
import { METRICS } from '../../../../src/simulation/metrics/index.ts'
import { checkAssertions } from '../../../../src/simulation/observation/assertions.ts'
import { cdf, jainIndex, quantile } from '../../../../src/simulation/observation/samples.ts'
import { DEPTHS } from '../../../../src/simulation/tables.ts'
import { goodRun, observed } from '../../../fixtures/simulation-run.ts'

test('what a run of four nodes in a line measures', () => {
  const { values, tables } = observed(METRICS, goodRun())
  expect(values).toMatchObject({
    services: 1,
    coverage: 1,
    coverageWorst: 1,
    deliveries: 3,
    deliveryLatencyP50Ms: 120,
    deliveryLatencyP99Ms: 200,
    hopsMean: 2,
    hopsMax: 3,
    verdictsRun: 3,
    verdictsRefused: 1,
    duplicatesPerNodeAndService: 0,
    sentBytesPerNodeMean: 525,
    sentBytesFairness: 0.75,
    startsFairness: 0.75,
    replicasFinalMean: 3,
    revokedStillRunning: null,
    revocationUnawareNodes: null,
    lookupP50Ms: null,
  })
  expect(tables['depth-reach']?.rows).toEqual([
    [2, 2, 0.5],
    [1, 1, 0.75],
    [0, 1, 1],
  ])
  expect(tables['delivery-latency']?.rows.at(-1)).toEqual([200, 1])
  expect(tables.verdicts?.rows).toEqual([
    ['run', 'none', 3],
    ['refused', 'node', 1],
  ])
  expect(tables['load-by-group']?.rows).toEqual([
    ['left', 2, 700, 1],
    ['right', 2, 350, 0.5],
  ])
})

test('coverage counts those that are away as not reached, and says it of those that are there too', () => {
  const told = goodRun()
  told.spread.deliveredMs[3] = Number.NaN
  told.facts.changing = true
  told.events.push({ ms: 100, node: 3, event: 'left' })
  expect(observed(METRICS, told).values).toMatchObject({ coverage: 0.75, coverageOfPresent: 1 })
  // it came back, and does not have it
  told.events.push({ ms: 200, node: 3, event: 'joined' })
  expect(observed(METRICS, told).values).toMatchObject({ coverage: 0.75, coverageOfPresent: 0.75 })
  told.facts.allEvents = false
  expect(observed(METRICS, told).values.coverageOfPresent).toBeNull()
})

test('duplicates are told apart by depth', () => {
  const told = goodRun()
  told.traffic.duplicates[1 * DEPTHS + 2] = 6
  told.traffic.copies[1 * DEPTHS + 2] = 8
  const { values, tables } = observed(METRICS, told)
  expect(values.duplicatesPerNodeAndService).toBe(1.5)
  expect(tables['duplicates-by-depth']?.rows[2]).toEqual([2, 2, 1.5])
})

test('a revocation: who knows it when, who never does, and when runs end', () => {
  const told = goodRun()
  told.spread = { ...told.spread, revokedMs: Float64Array.from([2000, 2100, 2300, Number.NaN]) }
  told.events.push(
    { ms: 2000, node: 0, event: 'revoked', service: 0 },
    { ms: 2000, node: 0, event: 'run', service: 0, state: 'ended' },
    { ms: 2400, node: 1, event: 'run', service: 0, state: 'ended' },
  )
  expect(observed(METRICS, told).values).toMatchObject({
    revocationKnownP50Ms: 100,
    revocationKnownP99Ms: 300,
    revocationUnawareNodes: 1,
    revocationRunsEndedMaxMs: 400,
    revokedStillRunning: 1,
    replicasFinalMean: 1,
  })
})

test('runs of a node that is gone are over', () => {
  const told = goodRun()
  told.events.push({ ms: 9000, node: 2, event: 'crashed' }, { ms: 9500, node: 1, event: 'left' })
  const { values, tables } = observed(METRICS, told)
  expect(values.replicasFinalMean).toBe(1)
  expect(tables.replicas?.rows.map(([, count]) => count)).toEqual([0, 2, 3, 2, 1, 1])
})

test('samples: quantiles are values that were measured, a distribution ends at what was reached', () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, index) => index + 1)
  expect([0, 0.5, 0.999, 1].map((share) => quantile(sorted, share))).toEqual([1, 500, 999, 1000])
  expect(quantile([], 0.5)).toBeNull()
  const { rows } = cdf(sorted, 'ms', 2000)
  expect(rows.length).toBeLessThanOrEqual(201)
  expect(rows.at(-1)).toEqual([1000, 0.5])
  expect(jainIndex([1, 0, 0, 0])).toBe(0.25)
  expect(jainIndex([0, 0])).toBeNull()
})

test('assertions compare a value, or a cell of a table; nothing measured is not enough', () => {
  const found = observed(METRICS, goodRun())
  const check = (metric: string, op: '>=' | '<=', value: number, of?: Record<string, string | number>) =>
    checkAssertions([{ metric, op, value, of }], found)[0]
  expect(check('coverage', '>=', 0.99)).toMatchObject({ measured: 1, ok: true })
  expect(check('hopsMean', '<=', 1.5)).toMatchObject({ measured: 2, ok: false })
  expect(check('depth-reach', '>=', 0.7, { depth_left: 1 })).toMatchObject({ measured: 0.75, ok: true })
  expect(check('depth-reach', '<=', 1, { depth_left: 1, column: 'nodes_per_service' })).toMatchObject({
    measured: 1,
    ok: true,
  })
  expect(check('lookupP50Ms', '<=', 5)).toMatchObject({ measured: null, ok: false })
  expect(() => check('coverag', '>=', 1)).toThrow(
    'assertions[0].metric is "coverag", which nothing measures; did you mean coverage?',
  )
  expect(() => check('hops', '>=', 1, { hop: 1 })).toThrow(
    'assertions[0].of is "hop", which nothing measures; did you mean hops?',
  )
})
