import type { ReceiptContent } from './receipts.ts'
import type { Services } from './registry.ts'
import type { ServiceState } from './types.ts'

/** What this node would say of a service that it knows. */
export function receiptContentOf(services: Services, id: string): ReceiptContent {
  const entry = services.get(id)
  if (entry === undefined) return unknownService(id)
  const state = services.state(entry)
  const reasons = [...services.runReasons(entry), ...(entry.verdict?.verdict?.reasons ?? [])]
  return { service: id, state: wireState(state), redirected: entry.record.redirect === true, reasons }
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
