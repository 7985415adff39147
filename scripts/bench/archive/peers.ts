import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { createLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { type Code, type CodeEvents, createCode, packEntries } from '../../../src/code/index.ts'
import type { NetworkEvents } from '../../../src/network/events.ts'
import { createNetwork, type Network } from '../../../src/network/index.ts'

export const ARCHIVE_BYTES = 64 * 1024 * 1024
export const RAW_PROTOCOL = '/bench/raw/1'

/** As in src/node. */
const MAX_NEIGHBOURS = 16
const clock = systemClock()
const rng = systemRng()
const log = createLog({ level: 'warn' })

/** libp2p as its documentation sets it up: TCP, noise, yamux, nothing else. */
export function openRaw() {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
}

/** The network of a node, without discovery. */
export function openNetwork(address = '/ip4/127.0.0.1/tcp/0'): Promise<Network> {
  const events = createEvents<NetworkEvents>()
  const identity = generateKeyPairSync('ed25519').privateKey
  const listen = [address]
  return createNetwork(
    { clock, rng, log, events },
    { network: 'bench', identity, listen, visibility: 'private', dht: false, keepPeers: false },
  )
}

export function openCode(network: Network, dir: string): Promise<Code> {
  const events = createEvents<CodeEvents>()
  // as a node does it: peers that the DHT names, then neighbours; here there is no DHT
  const providers = {
    async *findProviders() {
      for (const { peerId } of network.peers().slice(0, MAX_NEIGHBOURS)) yield peerId
    },
  }
  return createCode({ clock, rng, log, events, streams: network.streams, providers }, { dir, maxBytes: 2 ** 32 })
}

/** The tar of one file, of so many bytes in all, which nothing compresses. */
export function randomArchive(bytes: number): AsyncIterable<Uint8Array> {
  // a header before it and two blocks after it
  const content = randomBytes(bytes - 3 * 512)
  return packEntries([{ path: 'content', executable: false, size: content.byteLength, open: () => [content] }])
}

/** Writes as fast as the connection takes it, in the pieces that suit yamux. */
export async function sendAll(stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += 64 * 1024) {
    const more = stream.send(bytes.subarray(at, at + 64 * 1024))
    if (!more) await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
  }
  await stream.close()
}

/** Resolves when `count` bytes have come. */
export function countAll(stream: Stream, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let got = 0
  stream.addEventListener('message', ({ data }) => {
    got += data.byteLength
    if (got >= count) resolve()
  })
  stream.addEventListener('close', ({ error }) => reject(error ?? new Error(`the stream ended after ${got} bytes`)))
  return promise
}
