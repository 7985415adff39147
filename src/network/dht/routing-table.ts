import type { KadDHT } from '@libp2p/kad-dht'
import { type Clock, sleep } from '../../base/clock.ts'
import { TABLE_WAIT_MS } from '../constants.ts'

/** kad-dht's table of neighbours, which its interface does not declare. */
type WithTable = { readonly routingTable?: { readonly size: number } }

/** Waits a moment for the first neighbour of the table, where someone is connected. */
export function routingTableOf({ clock, dht, connected }: { clock: Clock; dht: KadDHT; connected(): boolean }) {
  const size = () => (dht as WithTable).routingTable?.size ?? Number.POSITIVE_INFINITY
  return {
    async filled(signal: AbortSignal): Promise<void> {
      const until = clock.monotonic() + TABLE_WAIT_MS
      while (size() === 0 && connected() && clock.monotonic() < until) await sleep(clock, 50, { signal })
    },
  }
}
