import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { MAX_PINGS } from '../../../src/network/constants.ts'
import { pingService } from '../../../src/network/host/ping.ts'

const PING = '/ipfs/ping/1.0.0'

async function start() {
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // a busy machine is not a peer that is gone
    connectionMonitor: { pingInterval: 100, pingTimeout: { minTimeout: 30_000, maxTimeout: 60_000 } },
    services: { ping: pingService() },
  })
  return { host, [Symbol.asyncDispose]: async () => host.stop() }
}

test('pings that are still open leave room for the monitor of the connection, which stays', async () => {
  await using a = await start()
  await using b = await start()
  const connection = await a.host.dial(b.host.getMultiaddrs())
  // more than the library takes; where the other side is slow, a ping of the monitor that is over still counts there
  for (let open = 0; open < MAX_PINGS - 4; open++) await connection.newStream(PING)
  await expect.poll(() => connection.rtt).toBeGreaterThanOrEqual(0)
  await expect(a.host.services.ping.ping(b.host.peerId)).resolves.toBeGreaterThanOrEqual(0)
  expect(connection.status).toBe('open')
})
