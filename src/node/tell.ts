import { decodeAddress } from '../../protocols/address.ts'
import type { Emitter } from '../base/events.ts'
import { BoundedMap } from '../base/queue.ts'
import type { ServiceState } from './contract.ts'
import type { NodeEvents } from './events.ts'
import type { Receipts } from './receipts.ts'
import type { Services } from './services.ts'
import { statementOf, wireState } from './status.ts'

/** Services whose last told state is remembered; one that is forgotten is told once more. */
const REMEMBERED = 8192

/** Tells this node's listeners, and the publisher, that a service's state has changed, if it has. */
export type Tell = (id: string, detail?: string) => void

export function createTell(
  { events, services, receipts }: { events: Emitter<NodeEvents>; services: Services; receipts: Receipts },
  init: { closing: AbortSignal },
): Tell {
  const told = new BoundedMap<string, ServiceState>(REMEMBERED)
  return (id, detail) => {
    const entry = services.get(id)
    if (entry === undefined) return
    const { body } = entry.signed
    const { state } = services.view(entry)
    if (told.get(id) === state) return
    told.set(id, state)
    events.emit('node:state', { id, name: body.name, state, detail })
    if (wireState(state) === 'unknown' || state === 'accepted') return
    receipts.send(
      statementOf(services, id),
      { replyTo: body.replyTo, author: decodeAddress(body.author) },
      init.closing,
    )
  }
}
