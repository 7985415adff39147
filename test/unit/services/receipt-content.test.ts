import { expect, it } from 'vitest'
import { receiptContentOf } from '../../../src/services/receipt-content.ts'
import type { Services } from '../../../src/services/registry.ts'

const parked = [{ rule: 'replicas', outcome: 'defer', message: 'the one replica is claimed by a nearer node' }]

function contentOf(init: { state: string; record: string; run?: string }) {
  const entry = {
    record: { state: init.record },
    verdict: { verdict: { reasons: parked } },
    run: init.run && { state: init.run },
  }
  const services = { get: () => entry, state: () => init.state, runReasons: () => [] } as unknown as Services
  return receiptContentOf(services, 'a')
}

it('does not give why a service was parked as why it ended, where its author or its time ended it', () => {
  expect(contentOf({ state: 'stopped', record: 'stopped' })).toMatchObject({ state: 'stopped', reasons: [] })
  expect(contentOf({ state: 'stopped', record: 'superseded', run: 'stopped' }).reasons).toEqual([])
  expect(contentOf({ state: 'expired', record: 'live' })).toMatchObject({ state: 'stopped', reasons: [] })
  // the operator's own stop of a stand-by
  expect(contentOf({ state: 'stopped', record: 'live' }).reasons).toEqual([])
})

it('gives what was decided of a service that waits, or whose run the policy ended', () => {
  expect(contentOf({ state: 'parked', record: 'live' }).reasons).toEqual(parked)
  expect(contentOf({ state: 'stopped', record: 'live', run: 'stopped' }).reasons).toEqual(parked)
})
