import fc from 'fast-check'
import { expect, it } from 'vitest'
import { addressBytes, parseAddress } from '../../../protocols/address.ts'
import { cidOfStructure, encodeCanonical, sha256 } from '../../../protocols/encoding.ts'
import { decodeService, encodeService, serviceId } from '../../../protocols/service.ts'
import { createBatchWriter } from '../../../src/runner/batch.ts'
import { type RunningService, toReceivedService } from '../../../src/runner/index.ts'
import type { Item } from '../../../src/runner/ipc-messages.ts'
import { readVerdict, verdictSchema } from '../../../src/runner/verdict-schema.ts'
import { isWellFormedVerdict } from '../../../src/runner/well-formed-verdict.ts'
import { forAll } from '../../fixtures/property.ts'
import { configOf, OWN, STRANGER, serviceOf, snapshotOf } from '../../fixtures/runner/runners.ts'

const config = configOf()
const resources = { memory: 1, disk: 1, cpu: 1, pids: 1 }
const runningOf = (id: string): RunningService => ({
  id,
  author: 'a',
  name: id,
  rank: 0,
  own: false,
  executor: 'docker',
  ...resources,
})

it('what is written to the runner: has the facts once while they are the same, and again as soon as one of them is not', () => {
  const batch = createBatchWriter()
  const [a, b] = [runningOf('a'), runningOf('b')]
  let id = 0
  const factsOf = (change: object) => {
    batch.ask(++id, serviceOf(), snapshotOf(config, change))
    const items = JSON.parse(batch.take() as string) as Item[]
    return items.flatMap((item) => (item[0] === 'facts' ? [item[2]] : []))
  }
  const { capacity } = snapshotOf(config)
  expect(factsOf({ running: [a, b] })).toEqual([{ own: snapshotOf().own, capacity, running: [a, b] }])
  expect(factsOf({ running: [a, b] })).toEqual([])
  expect(factsOf({ running: [a] })).toMatchObject([{ running: [a] }])
  expect(factsOf({ running: [b] })).toMatchObject([{ running: [b] }])
  expect(factsOf({ running: [{ ...b, rank: 7 }] })).toMatchObject([{ running: [{ id: 'b', rank: 7 }] }])
  expect(factsOf({ running: [b], capacity: { ...capacity, runs: 3 } })).toMatchObject([{ capacity: { runs: 3 } }])
  expect(factsOf({ running: [] })).toMatchObject([{ running: [] }])
  // known from before, by a slot
  expect(factsOf({ running: [a, b] })).toEqual([])
})

it('a decoded body becomes plain JSON: texts for addresses and ids, sizes for bytes', () => {
  const body = encodeService({
    v: 1,
    author: addressBytes(parseAddress(OWN)),
    name: 'hello',
    seq: 7,
    title: 'Hello',
    desc: 'says hello',
    keywords: ['api'],
    toolchain: ['node.js'],
    symbiotes: [addressBytes(parseAddress(STRANGER))],
    hostchains: ['btc'],
    issued: 1000,
    expires: 2000,
    code: cidOfStructure(encodeCanonical({ a: 1 })),
    sources: [{ type: 'mesh' }, { type: 'inline', bytes: Uint8Array.of(1, 2, 3) }],
    run: { command: ['node', 'server.js'], kind: 'task', timeout: 60 },
    resources: { memory: 1, disk: 0, cpu: 1, pids: 1 },
    network: [],
    replicas: 1,
    statements: [],
    credentials: [],
    replyTo: [],
    reach: { depth: 0, anchor: sha256(new Uint8Array(32)) },
  })
  const received = toReceivedService(serviceId(body), decodeService(body), body.byteLength)
  expect(JSON.parse(JSON.stringify(received))).toEqual(received)
  expect(received).toMatchObject({
    id: serviceId(body).toString(),
    author: OWN,
    symbiotes: [STRANGER],
    sources: [{ type: 'mesh' }, { type: 'inline', sizeBytes: 3 }],
    run: { kind: 'task', timeout: 60 },
    sizeBytes: body.byteLength,
  })
  expect('reward' in received).toBe(false)
})

const long = [64, 65, 129, 513].map((length) => 'x'.repeat(length))
const text = rarely('ok', '', ...long, 'é', '\u001b[31m', '\u202e')
const count = rarely(1, 0, 1.5, -1, 2 ** 53, 1e300, 512)
const odd = fc.constantFrom(null, true, 'x', 7, [], {}, { mode: 'none' })
function rarely<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 40 }, { arbitrary: fc.constantFrom(...others), weight: 1 })
}
/** Mostly what fits, sometimes anything, sometimes nothing. */
function field<T>(fits: fc.Arbitrary<T>) {
  return fc.oneof({ arbitrary: fits as fc.Arbitrary<unknown>, weight: 60 }, { arbitrary: odd, weight: 1 })
}
function shape(model: Record<string, fc.Arbitrary<unknown>>, required: string[]) {
  const whole = fc.record(model, { requiredKeys: required })
  return fc.oneof(
    { arbitrary: whole, weight: 60 },
    { arbitrary: fc.tuple(whole, odd).map(([value, extra]) => ({ ...value, extra })), weight: 1 },
    { arbitrary: odd, weight: 1 },
  )
}
const must = field(rarely('be', 'at-most', 'must'))
const need = shape({ field: field(text), must, value: field(text) }, ['field', 'must', 'value'])
const reason = shape(
  {
    rule: field(text),
    outcome: field(rarely('pass', 'fail', 'defer', 'warn')),
    message: field(text),
    needs: need,
    warned: field(rarely('fail', 'defer', 'pass')),
  },
  ['rule', 'outcome', 'message'],
)
const network = shape(
  {
    mode: field(fc.constantFrom('none', 'allowlist', 'open')),
    allow: field(fc.array(rarely('a.b:1', 'x', 'x'.repeat(262)), { maxLength: 2 })),
    rateKbps: field(count),
  },
  ['mode'],
)
const grant = shape(
  {
    executor: field(rarely('docker', 'host', 'swarm')),
    ...{ memoryBytes: field(count), cpuMillicores: field(count), diskBytes: field(count), pids: field(count) },
    timeoutSeconds: field(count),
    network,
  },
  ['executor', 'memoryBytes', 'cpuMillicores', 'diskBytes', 'pids', 'network'],
)
const condition = fc.oneof(
  shape({ on: field(rarely('capacity', 'policy', 'replica', 'x')) }, ['on']),
  shape({ on: field(rarely('quorum', 'freeze', 'capacity')), code: field(text) }, ['on', 'code']),
  shape({ on: field(rarely('freeze', 'quorum', 'capacity')), chain: field(text) }, ['on', 'chain']),
  shape({ on: field(rarely('delegation', 'quorum', 'replica')), author: field(text) }, ['on', 'author']),
  shape({ on: field(rarely('delegation', 'quorum')), author: field(text), code: field(text) }, ['on', 'author']),
)
const verdict = shape(
  {
    run: fc.oneof(fc.constant(false), grant),
    redirect: field(fc.boolean()),
    park: field(fc.array(condition, { maxLength: 2 })),
    evict: field(fc.array(text, { maxLength: 2 })),
    rank: field(fc.constantFrom(0, -1.5, 1e300)),
    reasons: field(fc.array(reason, { minLength: 1, maxLength: 3 })),
  },
  ['run', 'redirect', 'reasons'],
)

it('the quick look at a verdict: takes nothing that the schema refuses or would change', () => {
  let taken = 0
  forAll(3000, [verdict], (value) => {
    const fromJson: unknown = JSON.parse(JSON.stringify(value))
    if (!isWellFormedVerdict(fromJson)) return
    taken++
    expect(verdictSchema.safeParse(fromJson)).toEqual({ success: true, data: fromJson })
  })
  expect(taken).toBeGreaterThan(100)
})

it('the quick look at a verdict: takes what Andromeda answers', () => {
  const reasons = [
    { rule: 'keywords', outcome: 'pass', message: 'the keyword "API" is of interest' },
    { rule: 'veto', outcome: 'pass', message: 'x', warned: 'fail', needs: { field: 'x', must: 'be', value: '' } },
  ]
  const run = { executor: 'host', memoryBytes: 1, cpuMillicores: 1, diskBytes: 0, pids: 1, network: { mode: 'none' } }
  const waits = [
    { code: 'x', on: 'quorum' },
    { chain: 'btc', on: 'freeze' },
    { author: 'a', on: 'delegation' },
  ]
  const park = [{ on: 'capacity' }, ...waits]
  const value = { run, redirect: true, park, evict: ['x'], rank: 10.5, reasons }
  expect(isWellFormedVerdict(value)).toBe(true)
  expect(isWellFormedVerdict({ ...value, run: { ...run, network: { mode: 'allowlist', allow: ['a.b:1'] } } })).toBe(
    true,
  )
  expect(readVerdict(value)).toEqual(value)
})
