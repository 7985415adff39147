import { expect, test } from 'vitest'
import { frames, OPENED, PING, RESET } from '../../../scripts/attack/muxer.ts'
import { createRawPeer } from '../../../scripts/attack/raw-peer.ts'
import { addressOf, networks, until } from './make.ts'

const all = networks()

/** Data for stream 1: as long as the header says, and no byte of it. */
function header(length: number): Uint8Array {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(1, 4)
  bytes.writeUInt32BE(length, 8)
  return bytes
}

const EMPTY_DATA = frames([{ type: 0, flags: 0 }], 100_001)

/** A peer that sends `piece` below its streams until it is cut off, so many times at most. */
async function flood(piece: (at: number) => Uint8Array, times: number) {
  const victim = await all.make()
  const refused: string[] = []
  victim.events.on('network:refused', ({ peer, reason }) => {
    if (peer === attacker.peerId) refused.push(reason)
  })
  const attacker = all.stack.use(await createRawPeer())
  await attacker.connect(addressOf(victim))
  await until(() => victim.network.connectedTo(attacker.peerId), 'it is connected')
  let sent = 0
  for (; sent < times && attacker.connected; sent++) await attacker.sendRaw(piece(sent)).catch(() => {})
  return { refused, sent, connected: () => victim.network.connectedTo(attacker.peerId) }
}

test.each([
  ['pings', () => frames([PING], 0), 'too many frames that carry nothing'],
  ['data of length 0', () => EMPTY_DATA, 'too many frames that carry nothing'],
  ['streams', (at: number) => frames([OPENED], 100_001 + 10_000 * at), 'too many streams opened'],
  [
    'streams that are reset at once',
    (at: number) => frames([OPENED, RESET], 100_001 + 10_000 * at),
    'too many streams opened',
  ],
  ['news of room', () => frames([{ type: 1, flags: 0 }], 1), 'too many frames'],
])('%s without end cost the connection', async (_name, piece, reason) => {
  const { refused, connected } = await flood(piece, 200)
  await until(() => !connected(), 'it is cut off')
  expect(refused).toEqual([reason])
})

test('a frame that never becomes whole is held up to a mebibyte', async () => {
  const { refused, sent, connected } = await flood(
    (at) => (at === 0 ? header(0xffffffff) : new Uint8Array(64 * 1024)),
    64,
  )
  await until(() => !connected(), 'it is cut off')
  expect(refused).toEqual(['a frame is too long'])
  expect(sent).toBeGreaterThan(1)
})

test('what an honest peer sends in one go is taken', async () => {
  // some thousand pings, and a frame as long as implementations make them
  const whole = Buffer.concat([header(64 * 1024), new Uint8Array(64 * 1024)])
  const { refused, connected } = await flood((at) => (at === 0 ? frames([PING], 0) : whole), 10)
  expect(refused).toEqual([])
  expect(connected()).toBe(true)
})
