import { streamPair } from '@libp2p/utils'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createTransientBuffers } from '../../../src/network/host/transient-buffers.ts'
import { messageStream } from '../../../src/network/streams/message-stream.ts'

const MIB = 2 ** 20
const LENGTH = 100_000
/** 100,000 as an unsigned varint */
const PREFIX = Uint8Array.of(0xa0, 0x8d, 0x06)

const init = { clock: systemClock(), peer: 'far', maxMessageBytes: LENGTH }

async function openPair() {
  const buffers = createTransientBuffers()
  const [, near] = await streamPair()
  // what a muxer hands over, in the memory that it was decrypted into
  const arrive = (piece: Uint8Array) => (near as unknown as { onData(piece: Uint8Array): void }).onData(piece)
  const stream = messageStream(near, { ...init, buffers })
  const owned = (bytes: number) => {
    const piece = new Uint8Array(bytes).fill(1)
    buffers.own(piece)
    return piece
  }
  return { arrive, stream, owned }
}

test('a piece that went whole into a message is given back; one that shares its buffer is not', async () => {
  const { arrive, stream, owned } = await openPair()
  const [whole, shared] = [owned(40_000), owned(60_001)]
  arrive(PREFIX)
  arrive(whole)
  arrive(shared.subarray(1))
  expect(await stream.read()).toEqual(new Uint8Array(LENGTH).fill(1))
  expect([whole.byteLength, shared.byteLength]).toEqual([0, 60_001])
})

test('a message that lies in one piece is a view of it, which stays', async () => {
  const { arrive, stream, owned } = await openPair()
  const piece = owned(LENGTH + PREFIX.byteLength)
  piece.set(PREFIX)
  arrive(piece)
  expect(await stream.read()).toEqual(new Uint8Array(LENGTH).fill(1))
})

/** A near end whose muxer takes no more, as when the other side does not read. */
async function openBlocked() {
  const [, near] = await streamPair()
  const raw = near as unknown as { sendData(data: { byteLength: number }): object; onTransportClosed(): void }
  raw.sendData = () => ({ sentBytes: 0, canSendMore: false })
  const stream = messageStream(near, { ...init, buffers: createTransientBuffers() })
  return { stream, close: () => raw.onTransportClosed(), stir: () => near.dispatchEvent(new Event('drain')) }
}

test('a connection that closes without an error ends a write that waits for space, and the next one', async () => {
  const { stream, close } = await openBlocked()
  const writing = stream.write(new Uint8Array(4 * LENGTH))
  writing.catch(() => {})
  close()
  await expect(writing).rejects.toThrow('the connection closed before all that was written had left')
  await expect(stream.write(new Uint8Array(1))).rejects.toThrow()
  await expect(stream.read()).rejects.toThrow('is closed')
})

test('a signal that is aborted already ends every wait', async () => {
  const { stream } = await openBlocked()
  const gone = new AbortController()
  const writing = stream.write(new Uint8Array(4 * LENGTH), { signal: gone.signal })
  gone.abort(new Error('gone'))
  await expect(writing).rejects.toThrow('gone')
  await expect(stream.read({ signal: gone.signal })).rejects.toThrow('gone')
})

test('a signal that is aborted between two waits ends the second one, too', async () => {
  const { stream, stir } = await openBlocked()
  const gone = new AbortController()
  const writing = stream.write(new Uint8Array(4 * LENGTH), { signal: gone.signal })
  writing.catch(() => {})
  await Promise.resolve()
  // the wait is over, for nothing; before it begins again the signal says its only word
  stir()
  gone.abort(new Error('gone'))
  const settled = writing.then(() => 'written').catch((error: Error) => error.message)
  const forEver = new Promise((resolve) => setTimeout(resolve, 2000, 'it waits for ever'))
  expect(await Promise.race([settled, forEver])).toBe('gone')
})

test('a signal that is aborted ends a read though a message is here, which the next read gets', async () => {
  const { arrive, stream } = await openPair()
  arrive(Uint8Array.of(1, 7))
  await expect(stream.read({ signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  expect(await stream.read()).toEqual(Uint8Array.of(7))
})

/** Both ends, with messages of any length. */
async function openBoth() {
  const [left, right] = await streamPair()
  const make = (raw: typeof left) =>
    messageStream(raw, { ...init, maxMessageBytes: 4 * MIB, buffers: createTransientBuffers() })
  return { near: make(left), far: make(right) }
}

test('a long message leaves in slices, between which others have their turn, and keeps its place', async () => {
  const { near, far } = await openBoth()
  let turns = 0
  let next: NodeJS.Immediate | undefined
  const turn = () => {
    turns++
    next = setImmediate(turn)
  }
  turn()
  const long = new Uint8Array(2 * MIB).fill(7)
  const written = Promise.all([near.write(long), near.write(Uint8Array.of(1)), near.write(Uint8Array.of(2))])
  const ended = written.then(() => near.end())
  expect(await far.read()).toEqual(long)
  expect(turns).toBeGreaterThanOrEqual(7)
  expect([await far.read(), await far.read()]).toEqual([Uint8Array.of(1), Uint8Array.of(2)])
  clearImmediate(next)
  await ended
  expect(await far.read()).toBeUndefined()
})

test('a long message that nobody waits for any more leaves whole: the next one is understood', async () => {
  const { near, far } = await openBoth()
  const controller = new AbortController()
  const writing = near.write(new Uint8Array(2 * MIB).fill(7), { signal: controller.signal })
  controller.abort(new Error('enough'))
  await writing.catch(() => {})
  await near.write(Uint8Array.of(1))
  expect((await far.read())?.byteLength).toBe(2 * MIB)
  expect(await far.read()).toEqual(Uint8Array.of(1))
})
