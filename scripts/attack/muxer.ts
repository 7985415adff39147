import { createRawPeer } from './raw-peer.ts'
import { type Figures, type Target, until } from './target.ts'

export const PING = { type: 2, flags: 1 }
export const OPENED = { type: 1, flags: 1 }
export const RESET = { type: 1, flags: 8 }

/** Peers that speak to the multiplexer alone: half of them ping, the others open streams and reset them at once. */
export async function muxerFrames({ address, ms, count }: Target): Promise<Figures> {
  let sent = 0
  let cuts = 0
  const one = async (at: number) => {
    const peer = await createRawPeer()
    await until(ms, async () => {
      await peer.connect(address)
      const pieces = at % 2 === 0 ? () => frames([PING], 0) : resets()
      const end = performance.now() + ms
      try {
        while (performance.now() < end) {
          const piece = pieces()
          await peer.sendRaw(piece)
          sent += piece.byteLength
        }
      } finally {
        cuts++
      }
    })
    await peer[Symbol.asyncDispose]()
  }
  await Promise.all(Array.from({ length: count }, (_, at) => one(at)))
  return { sentMiB: Math.round(sent / 1024 ** 2), cuts }
}

/** The dialler opens streams of odd numbers. */
function resets(): () => Uint8Array {
  let next = 100_001
  return () => {
    const piece = frames([OPENED, RESET], next)
    next += 2 * FRAMES
    return piece
  }
}

const FRAMES = 4096
const HEADER_BYTES = 12

/** As many frames as fit well into one write, over and over; each turn has the next stream, except where it is 0. */
export function frames(turn: readonly { type: number; flags: number }[], stream: number): Uint8Array {
  const bytes = Buffer.alloc(FRAMES * HEADER_BYTES)
  for (let at = 0; at < FRAMES; at++) {
    const { type, flags } = turn[at % turn.length] as (typeof turn)[number]
    const offset = at * HEADER_BYTES
    bytes.writeUInt8(type, offset + 1)
    bytes.writeUInt16BE(flags, offset + 2)
    if (stream > 0) bytes.writeUInt32BE(stream + 2 * Math.floor(at / turn.length), offset + 4)
  }
  return bytes
}
