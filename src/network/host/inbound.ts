import { addAbortListener } from 'node:events'
import type { MultiaddrConnection, Upgrader } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { HANDSHAKE_TIMEOUT_MS } from '../constants.ts'
import type { PendingConnections } from '../limits/pending.ts'
import { addressGroup } from './address.ts'

export interface InboundComponents {
  clock: Clock
  pending: PendingConnections
}

type Upgrade = Upgrader['upgradeInbound']

/**
 * Accepts every connection. The library counts those that are not established yet in one number for all; here each
 * has its own slot, deadline and end.
 */
export function createInbound({ clock, pending }: InboundComponents) {
  return async (upgrade: Upgrade, connection: MultiaddrConnection, options: Parameters<Upgrade>[1]): Promise<void> => {
    const controller = new AbortController()
    const end = (reason: Error) => {
      controller.abort(reason)
      connection.abort(reason)
    }
    const stop = () => end(new UnavailableError('the node is stopping'))
    using _stop = options.signal && addAbortListener(options.signal, stop)
    using _place = pending.enter(addressGroup(connection.remoteAddr), (reason) => end(new UnavailableError(reason)))
    using _limit = clock.after(HANDSHAKE_TIMEOUT_MS, () => end(new TimeoutError('the handshake took too long')))
    await upgrade(connection, { ...options, signal: controller.signal })
  }
}

export type Inbound = ReturnType<typeof createInbound>
