import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { InputError, messageOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Log } from '../../base/log.ts'
import { type Backoff, backoffMs } from '../../base/retry.ts'
import type { Rng } from '../../base/rng.ts'
import { DIAL_TIMEOUT_MS, ORIGIN_TIMEOUT_MS, PEER_DISCOVERY_INTERVAL_MS } from '../constants.ts'
import type { NetworkEvents } from '../events.ts'
import { parseMultiaddr, peerOf } from '../host/address.ts'
import { fetchBootstrapAddresses } from './http-bootstrap.ts'

export interface StaticNodeComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<NetworkEvents>
  self: string
  isConnected(peer: string): boolean
  /** ms for which the peer is refused, because it misbehaved too often */
  excludedForMs(peer: string): number
  /** The operator has blocked it. */
  isBlocked(peer: string): boolean
  /** Resolves when the peer's last connection ends, or the signal aborts. */
  disconnected(peer: string, signal: AbortSignal): Promise<void>
  /** Dials one node at its addresses; returns its peer id. */
  dial(addresses: readonly string[], options: { signal: AbortSignal }): Promise<string>
  /** The peer behind a static node is known: it is kept when connections must be closed. */
  mark(peer: string): void
}

/** Dials one static node, and dials it again whenever it is gone, until the signal aborts. */
export async function maintainConnection(
  components: StaticNodeComponents,
  target: string,
  { backoff, signal }: { backoff: Backoff; signal: AbortSignal },
): Promise<void> {
  const { clock, rng, log, events, self } = components
  let warned = ''
  for (let attempt = 0; !signal.aborted; ) {
    try {
      const peer = await reach(components, target, signal)
      if (peer === self) {
        log.info('a static node is this node itself; it is not dialled', { target: sanitizeText(target) })
        return
      }
      components.mark(peer)
      attempt = 0
      warned = ''
      while (components.isConnected(peer) && !signal.aborted) {
        // asked again now and then: a notice of the end may have been missed
        using look = deadline(clock, PEER_DISCOVERY_INTERVAL_MS, new TimeoutError('time to look again'), signal)
        await components.disconnected(peer, look.signal)
      }
      if (!signal.aborted) await sleep(clock, rng.fraction() * backoff.firstMs, { signal })
    } catch (error) {
      if (signal.aborted) return
      const retryInMs = Math.round(backoffMs(attempt++, backoff, rng))
      const reason = sanitizeText(messageOf(error))
      events.emit('network:dial-failed', { target: sanitizeText(target), reason, attempt, retryInMs })
      // once for each kind of failure: a node that is away for a week makes one line
      if (reason !== warned) log.warn('a static node cannot be reached; the node keeps trying', { target, reason })
      warned = reason
      await sleep(clock, retryInMs, { signal }).catch(() => {})
    }
  }
}

async function reach(
  { clock, self, dial, excludedForMs, isBlocked }: StaticNodeComponents,
  target: string,
  signal: AbortSignal,
): Promise<string> {
  let addresses: readonly string[] = [target]
  if (!target.startsWith('/')) {
    using limit = deadline(clock, ORIGIN_TIMEOUT_MS, new TimeoutError('it did not answer in time'), signal)
    addresses = await fetchBootstrapAddresses(target, { signal: limit.signal })
  }
  const named = peerOf(parseMultiaddr(addresses[0] as string))
  if (named === self) return self
  if (named !== undefined && isBlocked(named)) {
    throw new UnavailableError('the operator of this node has blocked it; it is not dialled until that ends')
  }
  const refusedMs = named === undefined ? 0 : excludedForMs(named)
  if (refusedMs > 0) {
    const seconds = Math.ceil(refusedMs / 1000)
    throw new UnavailableError(`it sent forged or malformed data; it is not dialled for ${seconds} s`)
  }
  using limit = deadline(clock, DIAL_TIMEOUT_MS, new TimeoutError('the dial took too long'), signal)
  return await dial(addresses, { signal: limit.signal })
}

/** Throws an InputError unless the text is a multiaddr or an HTTP(S) origin. */
export function checkStaticNode(text: string): void {
  if (text.startsWith('/')) return void parseMultiaddr(text)
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InputError(
      `STATIC_NODES: "${sanitizeText(text, 120)}" must be a multiaddr (/ip4/...) or an HTTP(S) origin (https://node.example)`,
    )
  }
}
