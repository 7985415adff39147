import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPlainVerdict } from '../../../src/runner/plain-verdict.ts'
import { readVerdict, verdictSchema } from '../../../src/runner/verdict-schema.ts'

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

describe('the quick look at a verdict', () => {
  it('takes nothing that the schema refuses or would change', () => {
    let taken = 0
    fc.assert(
      fc.property(verdict, (value) => {
        const fromJson: unknown = JSON.parse(JSON.stringify(value))
        if (!isPlainVerdict(fromJson)) return
        taken++
        expect(verdictSchema.safeParse(fromJson)).toEqual({ success: true, data: fromJson })
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('takes what Andromeda answers', () => {
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
    expect(isPlainVerdict(value)).toBe(true)
    expect(isPlainVerdict({ ...value, run: { ...run, network: { mode: 'allowlist', allow: ['a.b:1'] } } })).toBe(true)
    expect(readVerdict(value)).toEqual(value)
  })
})
