import { expect, it } from 'vitest'
import { peerIdOf } from '../../../protocols/address.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createReceipts, type ReceiptsComponents } from '../../../src/services/receipts.ts'
import { idOf, makeService, newSigner } from '../../fixtures/mesh/gossip-services.ts'

/** Receipts of a node whose connected peers are these; `opened` are the streams that it opened. */
function receiptsWith(connected: readonly string[]) {
  const opened: string[] = []
  const components: Partial<ReceiptsComponents> = {
    clock: manualClock(),
    log: silentLog(),
    signer: newSigner(),
    events: { on: () => ({ [Symbol.dispose]: () => {} }), emit: () => {} } as unknown as ReceiptsComponents['events'],
    isConnected: (peer) => connected.includes(peer),
    streams: {
      open: async (target: string) => {
        opened.push(target)
        const done = async () => undefined
        return { write: done, end: done, read: done, [Symbol.asyncDispose]: done }
      },
    } as unknown as ReceiptsComponents['streams'],
  }
  const init = { network: 'test', policy: () => '00'.repeat(32), closing: new AbortController().signal }
  return { receipts: createReceipts(components as ReceiptsComponents, init), opened }
}

const [author, publisher] = [newSigner(), peerIdOf(newSigner().address)]
const replyTo = [`/ip4/127.0.0.1/tcp/9000/p2p/${publisher}`]
const content = {
  service: idOf(makeService({ network: 'test', author })),
  state: 'running' as const,
  redirected: false,
  reasons: [],
}

it.each([
  { connected: [publisher], onlyConnected: true, opened: [publisher] },
  { connected: [], onlyConnected: true, opened: [] },
  { connected: [], onlyConnected: false, opened: replyTo },
])('a receipt goes to a publisher that replyTo names: %o', async ({ connected, onlyConnected, opened }) => {
  const it = receiptsWith(connected)
  it.receipts.send(content, { replyTo, author: author.address, onlyConnected }, new AbortController().signal)
  await new Promise(setImmediate)
  expect(it.opened).toEqual(opened)
})
