import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { expect, test } from 'vitest'
import { hasLimits, limitsOf } from '../../../src/network/limits/table.ts'
import { createWorld } from '../../fixtures/node/nodes.ts'

test('each protocol that a node speaks has bounds for frames, bytes and the length of a frame', async () => {
  await using world = await createWorld()
  const node = await world.start('node')
  const services: ServiceFactoryMap = { identify: identify() }
  await using stack = new AsyncDisposableStack()
  const asking = stack.adopt(
    await createLibp2p({
      addresses: { listen: [] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services,
    }),
    (libp2p) => libp2p.stop(),
  )
  const told = new Promise<readonly string[]>((resolve) => {
    asking.addEventListener('peer:identify', ({ detail }) => resolve(detail.protocols))
  })
  await asking.dial(multiaddr(node.multiaddrs()[0]))
  const protocols = await told
  expect(protocols.length).toBeGreaterThanOrEqual(10)
  expect(protocols.filter((protocol) => !hasLimits(protocol))).toEqual([])
  for (const protocol of protocols) {
    const { frames, bytes, maxFrameBytes } = limitsOf(protocol, 'inbound')
    expect(bytes, protocol).toBeDefined()
    // the bytes of a ping are its frames
    if (protocol.startsWith('/ipfs/ping/')) continue
    expect(frames, protocol).toBeDefined()
    expect(maxFrameBytes ?? (bytes as { burst: number }).burst, protocol).toBeLessThanOrEqual(384 * 1024)
  }
})
