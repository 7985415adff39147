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
 * Does the protocol run on a connection through a relay? Such a connection ends after a number of bytes and seconds. By
 * default js-libp2p opens and accepts no stream on it; these protocols allow it on both sides. Their exchanges are short, or
 * they are repeated or resumed on the next connection. Gossipsub has an option of its own for it. The DHT has none, and does
 * not run there.
 */
export function runsRelayed(protocol: string): boolean {
  return RELAYED.has(protocol)
}
