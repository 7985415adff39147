import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { type Clock, deadline } from '../../base/clock.ts'
import { InputError, messageOf, TimeoutError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import {
  IDLE_SWEEP_MS,
  MAX_INBOUND_PER_PEER,
  MAX_INBOUND_STREAMS,
  MAX_MESSAGE_BYTES,
  MAX_OPENING_PER_PEER,
  MAX_OUTBOUND_PER_PEER,
  OPEN_TIMEOUT_MS,
  STREAM_IDLE_MS,
} from '../constants.ts'
import { PeerUnavailableError, ProtocolUnsupportedError, StreamBrokenError } from '../errors.ts'
import type { NetworkEvents } from '../events.ts'
import { parseMultiaddr, parsePeerId, peerOf } from '../host/address.ts'
import type { TransientBuffers } from '../host/transient-buffers.ts'
import { openCircuit } from '../reachability/open-circuit.ts'
import { runsRelayed } from '../reachability/relayed-protocols.ts'
import type { HandleOptions, StreamHandler, Streams } from '../types.ts'
import { type LengthPrefixedStream, messageStream } from './message-stream.ts'
import { createOpenSlots } from './open-slots.ts'

export interface StreamsComponents {
  clock: Clock
  log: Log
  events: Emitter<NetworkEvents>
  libp2p: Libp2p
  buffers: TransientBuffers
  /** Lets a private address be dialled that someone asked for by name. */
  allow(address: string): void
  /** Resolves when the DHT can be asked for a peer's addresses; without it, only known peers are dialled. */
  routable?: ((signal: AbortSignal) => Promise<void>) | undefined
}

type Open = {
  readonly stream: LengthPrefixedStream
  readonly openedAt: number
  readonly idleMs: number
  /** The handler has returned: only the other side holds the stream. */
  answered: boolean
}

export function createStreams(components: StreamsComponents): Streams & AsyncDisposable {
  const { clock, log, libp2p, buffers } = components
  const inbound = new Set<Open>()
  const slots = createOpenSlots(MAX_OPENING_PER_PEER)
  const sweep = clock.every(IDLE_SWEEP_MS, () => {
    const now = clock.monotonic()
    for (const { stream, openedAt, idleMs, answered } of inbound) {
      // a protocol that may be silent for long is so only between its request and its answer
      const busy = stream.hasRead && !answered
      const movedAt = stream.hasRead ? stream.movedAt : openedAt
      if (now - movedAt > (busy ? idleMs : Math.min(idleMs, STREAM_IDLE_MS))) {
        stream.abort(new TimeoutError('nothing moved on the stream for too long'))
      }
    }
  })

  return {
    async open(peer, protocol, { signal, allocate, maxMessageBytes = MAX_MESSAGE_BYTES } = {}) {
      using limit = deadline(clock, OPEN_TIMEOUT_MS, new TimeoutError('the peer did not answer in time'), signal)
      const runOnLimitedConnection = runsRelayed(protocol)
      const options = { signal: limit.signal, maxOutboundStreams: MAX_OUTBOUND_PER_PEER, runOnLimitedConnection }
      try {
        const target = targetOf(peer)
        if (peer.startsWith('/')) components.allow(peer)
        using _ = await slots.take(target.peer, limit.signal)
        // the library dials again where all connections are through relays
        const circuit = runOnLimitedConnection
          ? openCircuit(libp2p.getConnections(parsePeerId(target.peer)))
          : undefined
        const dial = () => circuit?.newStream(protocol, options) ?? libp2p.dialProtocol(target.dial, protocol, options)
        const raw = await dial().catch(async (error: unknown) => {
          // a node that has just joined knows no peer to ask for the address yet
          if (!hasNoAddress(error) || components.routable === undefined) throw error
          await components.routable(limit.signal)
          return await dial()
        })
        return messageStream(raw, { clock, buffers, peer: target.peer, maxMessageBytes, allocate })
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : openError(error, limit.signal)
      }
    },
    async handle(protocol, handler, options = {}) {
      const serve = createServer(components, inbound, protocol, handler, options)
      // the library's own limit counts each connection for itself
      const maxInboundStreams = (options.maxInbound ?? MAX_INBOUND_PER_PEER) + 1
      const bounds = { maxInboundStreams, maxOutboundStreams: MAX_OUTBOUND_PER_PEER }
      await libp2p.handle(protocol, serve, { ...bounds, runOnLimitedConnection: runsRelayed(protocol) })
      return { [Symbol.asyncDispose]: () => libp2p.unhandle(protocol) }
    },
    async [Symbol.asyncDispose]() {
      sweep.cancel()
      for (const { stream } of inbound) stream.abort(new StreamBrokenError('the node is stopping'))
      inbound.clear()
      log.debug('request streams closed')
    },
  }
}

function createServer(
  { clock, log, events, buffers }: StreamsComponents,
  inbound: Set<Open>,
  protocol: string,
  handler: StreamHandler,
  options: HandleOptions,
) {
  const { maxInbound = MAX_INBOUND_PER_PEER, maxInboundStreams = MAX_INBOUND_STREAMS } = options
  const { maxMessageBytes = MAX_MESSAGE_BYTES, idleMs = STREAM_IDLE_MS } = options
  const perPeer = new Map<string, number>()
  let all = 0

  const run = async (raw: Stream, peer: string) => {
    const stream = messageStream(raw, { clock, buffers, peer, maxMessageBytes })
    const open: Open = { stream, openedAt: clock.monotonic(), idleMs, answered: false }
    const gone = new AbortController()
    const leave = () => gone.abort(new StreamBrokenError('the stream ended'))
    raw.addEventListener('close', leave)
    inbound.add(open)
    all++
    perPeer.set(peer, (perPeer.get(peer) ?? 0) + 1)
    // a stream counts until it is closed both ways: one that is answered but kept open by its peer is still held
    const release = () => {
      if (!inbound.delete(open)) return
      all--
      const left = (perPeer.get(peer) ?? 1) - 1
      if (left > 0) perPeer.set(peer, left)
      else perPeer.delete(peer)
    }
    raw.addEventListener('close', release)
    if (raw.status !== 'open' && raw.status !== 'closing') {
      leave()
      release()
    }
    try {
      await handler(stream, { signal: gone.signal })
      open.answered = true
      await stream.finish()
    } catch (error) {
      log.debug('a request stream failed', { protocol, peer, error: messageOf(error) })
      stream.abort(error instanceof Error ? error : new StreamBrokenError(messageOf(error)))
      release()
    }
  }
  return (raw: Stream, connection: Connection) => {
    const peer = connection.remotePeer.toString()
    const full = all >= maxInboundStreams ? 'too many streams' : 'too many streams of this peer'
    if (all >= maxInboundStreams || (perPeer.get(peer) ?? 0) >= maxInbound) {
      events.emit('network:refused', { peer, protocol, reason: full })
      raw.abort(new StreamBrokenError(full))
      return
    }
    void run(raw, peer)
  }
}

function hasNoAddress(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoValidAddressesError'
}

function targetOf(peer: string) {
  if (!peer.startsWith('/')) return { peer, dial: parsePeerId(peer) }
  const dial = parseMultiaddr(peer)
  const id = peerOf(dial)
  if (id === undefined) throw new InputError(`"${dial}" must end in /p2p/<peer id>`)
  return { peer: id, dial }
}

function openError(error: unknown, limit: AbortSignal): Error {
  if (error instanceof InputError) return error
  const reason = limit.aborted ? messageOf(limit.reason) : messageOf(error)
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
    return new ProtocolUnsupportedError('the peer does not speak this protocol', { cause: error })
  }
  return new PeerUnavailableError(`the peer cannot be reached: ${reason}`, { cause: error })
}
