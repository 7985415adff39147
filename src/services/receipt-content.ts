import type { ReceiptContent } from './receipts.ts'
import type { ServiceEntry, Services } from './registry.ts'
import type { ServiceState } from './types.ts'

/** What this node would say of a service that it knows. */
export function receiptContentOf(services: Services, id: string): ReceiptContent {
  const entry = services.get(id)
  if (entry === undefined) return unknownService(id)
  const state = services.state(entry)
  const decided = endedOtherwise(entry, state) ? [] : (entry.verdict?.verdict?.reasons ?? [])
  const reasons = [...services.runReasons(entry), ...decided]
  return { service: id, state: wireState(state), redirected: entry.record.redirect === true, reasons }
}

/** Its author, its time or the operator has ended it: that is not for what was decided of it before. */
function endedOtherwise({ record, run }: ServiceEntry, state: ServiceState): boolean {
  return state === 'expired' || (state === 'stopped' && (record.state !== 'live' || run?.state !== 'stopped'))
}

/** A state in the fewer terms of the wire. */
export function wireState(state: ServiceState): ReceiptContent['state'] {
  switch (state) {
    case 'published':
      return 'redirected'
    case 'deciding':
      return 'unknown'
    case 'expired':
      return 'stopped'
    default:
      return state
  }
}

/** What a node says of a service that it does not know. */
export function unknownService(service: string): ReceiptContent {
  return { service, state: 'unknown', redirected: false, reasons: [] }
}
