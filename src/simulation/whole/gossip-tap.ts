import { RPC } from '@libp2p/gossipsub/message'
import type { Metrics } from '@libp2p/interface'
import { decodeAnnouncement, messageId, servicesTopic } from '../../../protocols/announcement.ts'
import { LengthPrefixedDecoder } from '../../network/streams/length-prefixed-decoder.ts'
import type { NodeEvents } from '../../node/index.ts'
import { DEPTHS } from '../tables.ts'
import { NETWORK } from './configuration.ts'

/** What a node sent and received so far. */
export type NodeTraffic = {
  readonly sentBytes: number
  readonly receivedBytes: number
  /** of announcements of services, by depth: all, and those of what the node had sent or got before */
  readonly copies: readonly number[]
  readonly duplicates: readonly number[]
}

/** What a node says and hears, counted without a change to it: libp2p shows each connection and stream to its metrics. */
export interface GossipTap {
  readonly metrics: () => Metrics
  /** The node sends it on: a copy that comes later is one of what it has. */
  onEmitted(emitted: NodeEvents['intake:emitted']): void
  traffic(): NodeTraffic
}

/** Of gossipsub, with all its batches. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024
const TOPIC = servicesTopic(NETWORK)

/** A service and a depth, by message; undefined = it is no service. Nodes of one process share what is known. */
export type KnownMessages = Map<string, { readonly key: string; readonly depth: number } | undefined>

type Tapped = {
  readonly protocol?: string
  readonly direction: string
  send(data: Bytes): boolean
  dispatchEvent(event: { readonly type: string; readonly data?: Bytes }): boolean
}
type Bytes = Uint8Array | { readonly byteLength: number; subarray(): Uint8Array }

export function createGossipTap(known: KnownMessages): GossipTap {
  const seen = new Set<string>()
  const copies = new Array<number>(DEPTHS).fill(0)
  const duplicates = new Array<number>(DEPTHS).fill(0)
  let [sentBytes, receivedBytes] = [0, 0]

  function onMessage({ topic, data }: RPC.Message): void {
    if (topic !== TOPIC || data === undefined) return
    const id = Buffer.from(messageId(topic, data)).toString('base64')
    if (!known.has(id)) known.set(id, readMessage(data))
    const message = known.get(id)
    if (message === undefined) return
    const { key, depth } = message
    copies[depth] = (copies[depth] as number) + 1
    if (seen.has(key)) duplicates[depth] = (duplicates[depth] as number) + 1
    seen.add(key)
  }

  function onStream(stream: Tapped): void {
    if (stream.direction !== 'inbound' || stream.protocol?.startsWith('/meshsub/') !== true) return
    const decoder = new LengthPrefixedDecoder(MAX_FRAME_BYTES)
    hear(stream, (data) => {
      // what is not gossip is refused by the node
      if (decoder.add(bytesOf(data).slice()) !== undefined) return
      for (let frame = decoder.take(); frame !== undefined; frame = decoder.take()) {
        for (const message of RPC.decode(frame).messages) onMessage(message)
      }
    })
  }

  function onConnection(connection: Tapped): void {
    const { send } = connection
    connection.send = (data) => {
      sentBytes += data.byteLength
      return send.call(connection, data)
    }
    hear(connection, ({ byteLength }) => {
      receivedBytes += byteLength
    })
  }

  return {
    metrics: () => ({
      trackMultiaddrConnection: (connection) => onConnection(connection as unknown as Tapped),
      trackProtocolStream: (stream) => onStream(stream as unknown as Tapped),
      ...NOTHING,
    }),
    onEmitted({ id, depth, how }) {
      if (how !== 'offered') seen.add(`${id} ${depth}`)
    },
    traffic: () => ({ sentBytes, receivedBytes, copies, duplicates }),
  }
}

function readMessage(data: Uint8Array): ReturnType<KnownMessages['get']> {
  try {
    const { signed, ticket } = decodeAnnouncement(data)
    return signed.kind === 'stop' ? undefined : { key: `${signed.id} ${ticket.depth}`, depth: ticket.depth }
  } catch {
    return undefined
  }
}

/** A listener of its own would have the stream begin before its handler listens. */
function hear(tapped: Tapped, onData: (data: Bytes) => void): void {
  const { dispatchEvent } = tapped
  tapped.dispatchEvent = (event) => {
    if (event.type === 'message' && event.data !== undefined) onData(event.data)
    return dispatchEvent.call(tapped, event)
  }
}

function bytesOf(data: Bytes): Uint8Array {
  return data instanceof Uint8Array ? data : data.subarray()
}

const none = () => {}
const timer = () => none
/** What libp2p counts itself is not asked for. */
const COUNTER = { increment: none, decrement: none, update: none, reset: none, observe: none, timer }
const register = () => COUNTER as never
const NOTHING = {
  registerMetric: register,
  registerMetricGroup: register,
  registerCounter: register,
  registerCounterGroup: register,
  registerHistogram: register,
  registerHistogramGroup: register,
  registerSummary: register,
  registerSummaryGroup: register,
  createTrace: none,
  traceFunction: <T>(_name: string, traced: T) => traced,
} satisfies Partial<Record<keyof Metrics, unknown>>
