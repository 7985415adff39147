import { expect, it } from 'vitest'
import type { UsageRecord } from '../../../src/base/run-usage.ts'
import { usageCost } from '../../../src/runner/andromeda/usage-cost.ts'
import type { ServiceEntry } from '../../../src/services/registry.ts'
import { type UsageReasonInit, usageReason } from '../../../src/services/usage-reason.ts'

const HOUR_MS = 3_600_000
const KLY = { GIB_HOUR: '0.5', CORE_HOUR: '2' }

it.each([
  [{ KLY }, 'KLY', HOUR_MS, '1.25 KLY'],
  [{ KLY }, 'KLY', 1, '0.000000347222222223 KLY'],
  [{ KLY }, 'KLY', 0, '0 KLY'],
  [{ KLY }, 'ETH', HOUR_MS, undefined],
  [{ KLY }, undefined, HOUR_MS, undefined],
  [{ KLY: { GIB_HOUR: '0', CORE_HOUR: '0' } }, 'KLY', HOUR_MS, undefined],
  [{}, 'constructor', HOUR_MS, undefined],
])('PRICING %j, a reward in %s, %i ms: %s', (PRICING, asset, ms, cost) => {
  expect(usageCost({ PRICING }, asset, { memory: 2 ** 29, cpu: 500 }, ms)).toBe(cost)
})

it('the sentence has the time, the processor time, the memory that was granted and the price', () => {
  const record: UsageRecord = {
    ended: { runningMs: HOUR_MS, cpuMs: 1230, receivedBytes: 7, sentBytes: 8 },
    start: 1,
    current: { runningMs: HOUR_MS, cpuMs: 4, receivedBytes: 1000, sentBytes: 0 },
    periodFrom: { runningMs: 2 * HOUR_MS - 60_000, cpuMs: 1000, receivedBytes: 7, sentBytes: 8 },
    ...{ memoryBytes: 1, diskBytes: 0, at: 0 },
  }
  const plan = { grant: { memoryBytes: 2 ** 29, cpuMillicores: 500 } }
  const entry = { run: { runId: 'r', plan }, signed: { body: { reward: { asset: 'KLY', perHour: '9' } } } }
  const cost: UsageReasonInit['cost'] = (...held) => usageCost({ PRICING: { KLY } }, ...held)
  const of = (usage?: UsageRecord) => usageReason({ usage: () => usage }, entry as unknown as ServiceEntry, { cost })
  expect(of(record)).toEqual({
    rule: 'run:usage',
    outcome: 'pass',
    message:
      '7200 s, 1.23 s of CPU, 1.000000 GiB h, 1007 B received, 8 B sent, 2.5 KLY; of that last 60 s, 0.23 s of CPU, 0.008334 GiB h, 1000 B received, 0 B sent, 0.020833333333333333 KLY',
  })
  expect(of()).toBeUndefined()
})
