import { test } from 'vitest'
import { addressBytes, addressOfPeerId } from '../../../protocols/address.ts'
import { cidOfStructure } from '../../../protocols/encoding.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { encodeStatusRequest, STATUS_PROTOCOL } from '../../../protocols/status.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createStatusServer, type StatusComponents } from '../../../src/node/handlers/status.ts'
import type { Services } from '../../../src/services/registry.ts'
import { connect, networks, until } from '../network/make.ts'

const all = networks()

test('a log is followed no longer than its reader is there, also one that has ended its own side and hears nothing', async () => {
  const [server, client] = [await all.make(), await all.make()]
  const service = cidOfStructure(new Uint8Array(1))
  const author = addressBytes(addressOfPeerId(client.network.peerId))
  let following = 0
  const components: StatusComponents = {
    clock: systemClock(),
    keys: createKeyCache(),
    services: { get: () => ({ signed: { body: { author } } }) } as unknown as Services,
    receipts: {} as StatusComponents['receipts'],
    async *logs(_id, { signal }) {
      following++
      try {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        yield* []
      } finally {
        following--
      }
    },
  }
  await server.network.streams.handle(STATUS_PROTOCOL, createStatusServer(components, { network: 'test' }))
  await connect(client, server)
  for (let count = 0; count < 3; count++) {
    const stream = await client.network.streams.open(server.network.peerId, STATUS_PROTOCOL)
    await stream.write(encodeStatusRequest({ v: 1, want: 'logs', service, tail: 10, follow: true }))
    await stream.end()
  }
  await until(() => following === 3, 'the log is followed')
  await client.network[Symbol.asyncDispose]()
  await until(() => following === 0, 'nobody follows the log any more')
})
