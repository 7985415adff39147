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
    connectionMonitor: { pingInterval: 100 },
    services: { ping: pingService() },
  })
  return { host, [Symbol.asyncDispose]: async () => host.stop() }
}

test('pings that are still open leave room for the monitor of the connection, which stays', async () => {
  await using a = await start()
  await using b = await start()
  const connection = await a.host.dial(b.host.getMultiaddrs())
  for (let open = 0; open < MAX_PINGS - 2; open++) await connection.newStream(PING)
  await expect.poll(() => connection.rtt).toBeGreaterThanOrEqual(0)
  // where the monitor's own ping is slow, one more has no room for a moment
  const ping = () => a.host.services.ping.ping(b.host.peerId, { signal: AbortSignal.timeout(5_000) }).catch(() => -1)
  await expect.poll(ping).toBeGreaterThanOrEqual(0)
  expect(connection.status).toBe('open')
})
