import { generateKeyPair } from '@libp2p/crypto/keys'
import { gossipsub, StrictSign } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import * as limits from '../../../src/network/constants.ts'
import { createPeerScores } from '../../../src/network/gossip/peer-scores.ts'
import { gossipScoreParams, THRESHOLDS } from '../../../src/network/gossip/score-params.ts'
import { copyAt, makeService, newSigner } from '../../../test/fixtures/mesh/gossip-services.ts'
import type { Implementation, Setup } from './implementation.ts'

const TOPIC = '/bench/services/1'

/**
 * gossipsub as it is: it checks its own signature on every copy and forwards what is valid. Transport, muxer, and every
 * setting of gossipsub that is not about our validator are those of src/network/host.
 */
export async function openGossipsub({ nodes, edges }: Setup): Promise<Implementation> {
  const open = async () =>
    createLibp2p({
      privateKey: await generateKeyPair('Ed25519'),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [
        yamux({
          streamOptions: {
            maxStreamWindowSize: limits.STREAM_WINDOW_BYTES,
            maxReadBufferLength: limits.STREAM_BUFFER_BYTES,
          },
        }),
      ],
      connectionManager: { inboundConnectionThreshold: limits.INBOUND_CONNECTIONS_PER_SECOND },
      connectionMonitor: {
        pingInterval: limits.PING_INTERVAL_MS,
        pingTimeout: { minTimeout: limits.PING_TIMEOUT_MS, maxTimeout: limits.PING_TIMEOUT_MAX_MS },
      },
      services: {
        identify: identify(),
        ping: ping(),
        pubsub: gossipsub({
          globalSignaturePolicy: StrictSign,
          floodPublish: false,
          batchPublish: true,
          emitSelf: false,
          allowedTopics: new Set([TOPIC]),
          maxInboundDataLength: limits.MAX_GOSSIP_FRAME_BYTES,
          scoreParams: gossipScoreParams(
            [TOPIC],
            'private',
            createPeerScores(() => performance.now()),
          ),
          scoreThresholds: THRESHOLDS,
        }),
      },
    })
  const hosts = await Promise.all(Array.from({ length: nodes }, open))
  const host = (node: number) => hosts[node] as (typeof hosts)[number]
  const authors = hosts.map(() => newSigner())
  let listener: (key: string) => void = () => {}
  for (const { services } of hosts) {
    services.pubsub.subscribe(TOPIC)
    services.pubsub.addEventListener('message', ({ detail }) => listener(keyOf(detail.data)))
  }
  for (const [a, b] of edges) await host(a).dial(host(b).getMultiaddrs())
  let count = 0
  return {
    prepare(node) {
      // the very bytes that an announcement has
      const author = authors[node]
      const service = makeService({ depth: 8, change: { name: `service-${count++}` }, ...(author && { author }) })
      const data = copyAt(service)
      return {
        key: keyOf(data),
        bytes: data.byteLength,
        send: async () => void (await host(node).services.pubsub.publish(TOPIC, data)),
      }
    },
    onDelivery(onMessage) {
      listener = onMessage
    },
    idle: async () => {},
    childCpuSeconds: () => 0,
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((each) => each.stop()))
    },
  }
}

/** Any unique part will do: the last bytes are the proof. */
function keyOf(data: Uint8Array): string {
  return Buffer.from(data.subarray(-32)).toString('latin1')
}
