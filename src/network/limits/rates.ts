import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru-map.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { EXCESS_MEMORY_MS, RATE_PEERS } from '../constants.ts'
import { StreamBrokenError } from '../errors.ts'
import { createFrameCounter } from './frame-counter.ts'
import { limitsOf } from './table.ts'

export interface RatesComponents {
  clock: Clock
  /** A peer sent more than its share: its stream is reset. `again`: its connection is closed, too. */
  onExcess(excess: { peer: string; protocol: string; reason: string; again: boolean }): void
}

/** What a stream of the library has and does not declare. */
type Raw = { readonly readBuffer: Iterable<Uint8Array>; onData(data: Bytes): void }
type Bytes = Uint8Array | Iterable<Uint8Array>
type Registrar = { getMiddleware(protocol: string): Middleware[] }
type Middleware = (
  stream: Stream,
  connection: Connection,
  next: (stream: Stream, connection: Connection) => void,
) => void

/**
 * Counts what each peer sends, on every protocol, before anything decodes it. A peer that goes over a bound loses the
 * stream, and the second time within a minute its connection. What a peer used up stays used up when it reconnects.
 */
export function createRates({ clock, onExcess }: RatesComponents) {
  const monotonic = () => clock.monotonic()
  const shares = new LruMap<string, { frames?: Bucket; bytes?: Bucket }>(RATE_PEERS)
  const excesses = new LruMap<string, number>(RATE_PEERS)

  const shareOf = (peer: string, protocol: string, direction: 'inbound' | 'outbound') => {
    const key = `${peer} ${direction} ${protocol}`
    const known = shares.get(key)
    if (known !== undefined) return known
    const { frames, bytes } = limitsOf(protocol, direction)
    const fresh = {
      ...(frames === undefined ? {} : { frames: createTokenBucket(frames, monotonic) }),
      ...(bytes === undefined || bytes === 'credits' ? {} : { bytes: createTokenBucket(bytes, monotonic) }),
    }
    shares.set(key, fresh)
    return fresh
  }

  const watch: Middleware = (stream, connection, next) => {
    const { protocol, direction } = stream
    const peer = connection.remotePeer.toString()
    const { maxFrameBytes = Number.POSITIVE_INFINITY } = limitsOf(protocol, direction)
    const share = shareOf(peer, protocol, direction)
    const counted = share.frames !== undefined || maxFrameBytes !== Number.POSITIVE_INFINITY
    const counter = counted ? createFrameCounter(maxFrameBytes) : undefined
    const raw = stream as unknown as Raw
    let stopped = false

    const stop = (reason: string) => {
      stopped = true
      const last = excesses.get(peer) ?? Number.NEGATIVE_INFINITY
      const again = clock.monotonic() - last < EXCESS_MEMORY_MS
      excesses.set(peer, clock.monotonic())
      stream.abort(new StreamBrokenError(reason))
      onExcess({ peer, protocol, reason, again })
      if (again) connection.abort(new StreamBrokenError(reason))
    }
    const problemOf = (data: Bytes): string | undefined => {
      for (const piece of piecesOf(data)) {
        if (share.bytes?.take(piece.byteLength) === false) return 'too many bytes'
        const frames = counter?.add(piece) ?? 0
        if (frames === 'too-long') return 'a frame is too long'
        if (frames > 0 && share.frames?.take(frames) === false) return 'too many frames'
      }
      return undefined
    }

    if (direction === 'inbound' && share.frames?.take() === false) stop('too many streams')
    else {
      // what came while the protocol was agreed on
      const early = problemOf(raw.readBuffer)
      if (early !== undefined) stop(early)
    }
    const take = raw.onData
    raw.onData = (data) => {
      if (stopped) return
      const problem = problemOf(data)
      if (problem === undefined) take.call(raw, data)
      else stop(problem)
    }
    if (stopped) throw new StreamBrokenError('the peer sends too much')
    next(stream, connection)
  }

  return {
    /** Every stream passes here, in both directions. A list of its own each time: the library adds to what it gets. */
    guard(registrar: Registrar): void {
      const others = registrar.getMiddleware.bind(registrar)
      registrar.getMiddleware = (protocol) => [watch, ...others(protocol)]
    },
  }
}

type Bucket = ReturnType<typeof createTokenBucket>

function piecesOf(data: Bytes): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data
}
