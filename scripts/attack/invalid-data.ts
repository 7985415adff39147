import { createHash, randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { encodeAnnouncement } from '../../protocols/announcement.ts'
import { cidOfDigest } from '../../protocols/encoding.ts'
import { encodeSyncAnswer, encodeSyncRequest, SYNC_PROTOCOL } from '../../protocols/streams/sync.ts'
import { makeService } from '../../test/fixtures/mesh/gossip-services.ts'
import { putValue } from './flood.ts'
import { createRawPeer, framed, gossipFrame, type RawPeer } from './raw-peer.ts'
import { type Figures, KAD, MESHSUB, pause, type Target, TOPIC, until } from './target.ts'

/** Sends invalid data twenty times a second until it is disconnected; then connects again. */
async function sendInvalid(
  { address, ms }: Target,
  send: (peer: RawPeer, at: number) => Promise<void>,
): Promise<Figures> {
  const peer = await createRawPeer()
  let sent = 0
  let refused = 0
  let accepted = 0
  await until(ms, async () => {
    if (!peer.connected) {
      await peer.connect(address)
      await pause(100)
      if (peer.connected) accepted++
      else refused++
    }
    await send(peer, sent++)
    await pause(50)
  })
  const connected = peer.connected ? 1 : 0
  await peer[Symbol.asyncDispose]()
  return { sent, accepted, refused, connected }
}

/** Announcements under signatures that are not their authors'. */
export function forgedAnnouncements(target: Target): Promise<Figures> {
  return overGossip(target, () => {
    const { signed, ticket } = makeService({ depth: 3 })
    return encodeAnnouncement({ signed: { bytes: signed.bytes, sig: randomBytes(64) }, ticket })
  })
}

/** Bytes that are not an announcement. */
export function malformedGossip(target: Target): Promise<Figures> {
  return overGossip(target, () => randomBytes(600))
}

function overGossip(target: Target, make: () => Uint8Array): Promise<Figures> {
  const streams = new WeakMap<RawPeer, Promise<{ status: string; send(bytes: Uint8Array): boolean }>>()
  return sendInvalid(target, async (peer) => {
    const known = await streams.get(peer)
    const stream = known?.status === 'open' ? known : await peer.open(MESHSUB)
    streams.set(peer, Promise.resolve(stream))
    stream.send(gossipFrame(TOPIC, make()))
  })
}

export function invalidRecords(target: Target): Promise<Figures> {
  return sendInvalid(target, async (peer, at) => {
    const stream = await peer.open(KAD)
    stream.send(putValue(at))
    await pause(20)
    stream.abort(new Error('the next one'))
  })
}

export function badSync(target: Target): Promise<Figures> {
  return sendInvalid(target, async (peer) => {
    const stream = await peer.open(SYNC_PROTOCOL)
    stream.send(framed(encodeSyncRequest({ v: 1, want: 'tell', announcement: randomBytes(300) })))
    await pause(20)
    stream.abort(new Error('the next one'))
  })
}

/** Nothing was asked for so long: the node under test has ended its rounds. */
const QUIET_MS = 1500

/** Peers that serve sync, and whose list of statements never ends. They stay until no more requests come, or for 30 s. */
export async function endlessPages({ address, ms, count }: Target): Promise<Figures> {
  let requests = 0
  let lastAt = performance.now()
  const quiet = async () => {
    const end = performance.now() + 30_000
    await pause(ms)
    while (performance.now() - lastAt < QUIET_MS && performance.now() < end) await pause(100)
  }
  const one = async () => {
    let page = 0
    const peer = await createRawPeer({ identify: true })
    await peer.handle(SYNC_PROTOCOL, (stream) => {
      stream.addEventListener('message', () => {
        requests++
        lastAt = performance.now()
        stream.send(framed(encodeSyncAnswer({ is: 'statements', items: itemsOf(page++), more: true })))
        stream.close().catch(() => {})
      })
    })
    await peer.connect(address)
    await quiet()
    await peer[Symbol.asyncDispose]()
  }
  await Promise.all(Array.from({ length: count }, one))
  return { requests, quietMs: Math.round(performance.now() - lastAt) }
}

/** 64 ids, all after those of the page before. */
function itemsOf(page: number) {
  return Array.from({ length: 64 }, (_, at) => {
    const digest = createHash('sha256').update(`${page} ${at}`).digest()
    digest.writeUInt32BE(page * 64 + at)
    const signer = createHash('sha256').update(`signer ${at}`).digest()
    return [
      CID.createV1(0x71, cidOfDigest(digest).multihash),
      Buffer.concat([Uint8Array.of(0xed, 0x01), signer]),
    ] as const
  }).map(([id, signer]) => [id, new Uint8Array(signer)] as [typeof id, Uint8Array])
}
