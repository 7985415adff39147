import {
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  circuitRelayServer,
} from '@libp2p/circuit-relay-v2'
import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { createTokenBucket, type TokenBucket } from '../../base/token-bucket.ts'
import { StreamBrokenError } from '../errors.ts'
import { addressGroup } from '../host/address.ts'
import type { Host } from '../host/create-host.ts'
import { overriding } from '../host/overriding.ts'
import { boundRequest, type RequestStream } from './bounded-request.ts'
import { isCircuit } from './circuit-address.ts'
import { MAX_CIRCUITS_PER_DESTINATION, MAX_CIRCUITS_PER_SOURCE, RESERVATION_TTL_MS } from './constants.ts'
import { paceStream, type WindowedStream } from './paced-stream.ts'
import type { RelayBounds } from './relay-bounds.ts'
import type { RelayInit } from './types.ts'

/** The library's relay, with bounds on what each peer, each address and all of them may have relayed. */
export function relayService({ clock, bounds }: { clock: Clock; bounds: RelayBounds }, init: RelayInit) {
  const make = circuitRelayServer({
    maxInboundHopStreams: MAX_CIRCUITS_PER_SOURCE + 1,
    maxOutboundStopStreams: MAX_CIRCUITS_PER_DESTINATION + 1,
    reservations: {
      maxReservations: init.reservations,
      reservationTtl: RESERVATION_TTL_MS,
      // the library counts milliseconds, and says them to peers as if they were seconds
      defaultDurationLimit: init.seconds * 1000,
      defaultDataLimit: BigInt(init.bytes),
    },
  })
  const bucket = counting({ burst: init.rate, perSecond: init.rate }, clock, bounds)
  const pace = (stream: Stream) => paceStream(stream as unknown as WindowedStream, bucket, clock)

  const bounded = (connection: Connection): Connection =>
    overriding(connection, {
      async newStream(protocols, options) {
        const place = bounds.enterCircuit(connection.remotePeer.toString())
        try {
          const stream = await connection.newStream(protocols, options)
          leaveWith(stream, place)
          pace(stream)
          return stream
        } catch (error) {
          place[Symbol.dispose]()
          throw error
        }
      },
    })

  return (components: CircuitRelayServerComponents): CircuitRelayService => {
    const { registrar, connectionManager } = components
    const handle: typeof registrar.handle = (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          const place = bounds.enterHop(connection.remotePeer.toString(), addressGroup(connection.remoteAddr))
          if (place === undefined) return stream.abort(new StreamBrokenError('too many circuits of this peer'))
          leaveWith(stream, place)
          pace(stream)
          boundRequest(stream as unknown as RequestStream)
          return handler(stream, connection)
        },
        options,
      )
    const getConnections: typeof connectionManager.getConnections = (peer) =>
      connectionManager.getConnections(peer).filter(isDirect).map(bounded)
    return make(
      overriding(components, {
        registrar: overriding(registrar, { handle }),
        connectionManager: overriding(connectionManager, { getConnections }),
      }),
    )
  }
}

/** The reservation of a peer that has left is dropped: when it comes back, it asks for one. The library would keep it for an hour. */
export function dropReservations(
  host: Pick<Host, 'addEventListener' | 'removeEventListener' | 'getConnections'>,
  service: Pick<CircuitRelayService, 'reservations'>,
): Disposable {
  const onClose = ({ detail: { id, remotePeer } }: { detail: Connection }) => {
    if (host.getConnections(remotePeer).some((other) => other.id !== id && isDirect(other))) return
    const reservation = service.reservations.get(remotePeer)
    service.reservations.delete(remotePeer)
    // ends its circuits, and the timer that would delete a later reservation of the same peer
    reservation?.signal.reset(0)
  }
  host.addEventListener('connection:close', onClose)
  return { [Symbol.dispose]: () => host.removeEventListener('connection:close', onClose) }
}

/** A bucket of bytes that tells how many are spent. */
function counting(
  rate: { burst: number; perSecond: number },
  clock: Pick<Clock, 'monotonic'>,
  { countBytes }: Pick<RelayBounds, 'countBytes'>,
): TokenBucket {
  const bucket = createTokenBucket(rate, () => clock.monotonic())
  return {
    ...bucket,
    spend(bytes) {
      countBytes(bytes)
      bucket.spend(bytes)
    },
  }
}

function isDirect({ remoteAddr, status }: Pick<Connection, 'remoteAddr' | 'status'>): boolean {
  return status === 'open' && !isCircuit(remoteAddr)
}

function leaveWith(stream: Pick<Stream, 'status' | 'addEventListener'>, place: Disposable): void {
  stream.addEventListener('close', () => place[Symbol.dispose]())
  if (stream.status !== 'open' && stream.status !== 'closing') place[Symbol.dispose]()
}
