import { RECEIPT_PROTOCOL } from '../../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { NEIGHBOUR_PROTOCOL } from '../../../protocols/streams/neighbour.ts'
import { RESULTS_PROTOCOL } from '../../../protocols/streams/results.ts'
import { STATUS_PROTOCOL } from '../../../protocols/streams/status.ts'
import { SYNC_PROTOCOL } from '../../../protocols/streams/sync.ts'
import { TUNNEL_PROTOCOL } from '../../../protocols/streams/tunnel.ts'

const RELAYED: ReadonlySet<string> = new Set([
  ARCHIVE_PROTOCOL,
  NEIGHBOUR_PROTOCOL,
  RECEIPT_PROTOCOL,
  RESULTS_PROTOCOL,
  STATUS_PROTOCOL,
  SYNC_PROTOCOL,
  TUNNEL_PROTOCOL,
])

/**
 * Does the protocol run on a connection through a relay, which ends after some bytes and some time? The library refuses
 * such a stream, at both ends, unless it is told. Each of these is short, or is repeated or resumed where it breaks off.
 * Gossip runs there too, by an option of its own; the DHT does not: the library has none.
 */
export function runsRelayed(protocol: string): boolean {
  return RELAYED.has(protocol)
}
