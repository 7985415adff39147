import { ping } from '@libp2p/ping'
import { MAX_PINGS } from '../constants.ts'

/**
 * The monitor of connections and the DHT ping over one protocol, and a slow ping is still open when the next begins. The
 * library's bound is one: a second ping then fails, and the monitor ends a healthy connection with all its streams.
 */
export function pingService(): ReturnType<typeof ping> {
  return ping({ maxOutboundStreams: MAX_PINGS, maxInboundStreams: MAX_PINGS })
}
