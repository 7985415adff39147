import { parseCid } from '../../protocols/encoding.ts'
import { RECEIPT_PROTOCOL } from '../../protocols/receipt.ts'
import { ARCHIVE_PROTOCOL, encodeArchiveRequest } from '../../protocols/streams/archive.ts'
import { encodeStatusRequest, STATUS_PROTOCOL } from '../../protocols/streams/status.ts'
import { encodeSyncRequest, SYNC_PROTOCOL } from '../../protocols/streams/sync.ts'
import { encodeHello, TUNNEL_PROTOCOL } from '../../protocols/streams/tunnel.ts'
import { createRawPeer, framed } from './raw-peer.ts'
import { type Figures, KAD, MESHSUB, pause, type Target } from './target.ts'

const ABREAST = 8
const STREAMS = 4
const MANY_STREAMS = 50
const MOST_MS = 170_000

/** What a client says before it vanishes: something to wait for where there is, half a message elsewhere. */
function openings(code: string): Readonly<Record<string, Uint8Array>> {
  const service = parseCid(code)
  const half = Uint8Array.of(100, 1, 2, 3)
  return {
    [ARCHIVE_PROTOCOL]: framed(
      encodeArchiveRequest({ v: 1, want: 'chunks', code: service, first: 0, count: 12, zstd: false }),
    ),
    [STATUS_PROTOCOL]: framed(encodeStatusRequest({ v: 1, want: 'logs', service, tail: 10, follow: true })),
    [TUNNEL_PROTOCOL]: framed(encodeHello({ v: 1, service, port: 'http' })),
    [SYNC_PROTOCOL]: framed(encodeSyncRequest({ v: 1, want: 'list' })),
    [RECEIPT_PROTOCOL]: half,
    [MESHSUB]: half,
    [KAD]: half,
    '/ipfs/id/1.0.0': new Uint8Array(),
    '/ipfs/ping/1.0.0': new Uint8Array(20),
  }
}

/**
 * `count` clients of each protocol open streams, ask, read nothing, and are gone without notice. Some of each
 * protocol open four streams, the others one. On a slow machine it ends before all have come: the figures say how many did.
 */
export async function vanish({ address, code, count }: Target): Promise<Figures> {
  const end = performance.now() + MOST_MS
  const protocols = Object.entries(openings(code))
  const queue = Array.from({ length: count * protocols.length }, (_, at) => at).values()
  let clients = 0
  let streams = 0
  const work = async () => {
    for (const at of queue) {
      if (performance.now() > end) return
      const [protocol, opening] = protocols[at % protocols.length] as (typeof protocols)[number]
      const peer = await createRawPeer()
      try {
        await peer.connect(address)
        const opened = Array.from({ length: at < MANY_STREAMS * protocols.length ? STREAMS : 1 }, async () => {
          const stream = await peer.open(protocol)
          stream.pause()
          if (opening.byteLength > 0) stream.send(opening)
          streams++
        })
        await Promise.all(opened)
        // the request is there; the answer is on its way
        await pause(10)
        clients++
      } catch {
        // refused, which is an answer too
      }
      await peer[Symbol.asyncDispose]()
    }
  }
  await Promise.all(Array.from({ length: ABREAST }, work))
  return { clients, streams }
}
