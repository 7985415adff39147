import { z } from 'zod'
import { encodeCanonical } from './encoding.ts'
import { ProtocolError } from './errors.ts'
import { MAX_TUNNEL_FRAME_BYTES } from './limits.ts'
import { nameSchema } from './service.ts'
import { bytes, cid, decodeShape, text } from './shape.ts'

export const TUNNEL_PROTOCOL = '/thundercloud/tunnel/1'

const helloSchema = z.strictObject({ v: z.literal(1), service: cid, port: nameSchema, token: bytes().optional() })
/** The client's first message: which port of which service. */
export type TunnelHello = z.output<typeof helloSchema>

const welcomeSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('open') }),
  z.strictObject({ is: z.literal('error'), message: text(512) }),
])
/** The server's answer; frames follow an `open`. */
export type TunnelWelcome = z.output<typeof welcomeSchema>

/**
 * data: bytes of the connection. credit: the speaker has taken so many more bytes; without credit the other side waits.
 * end: no more data this way (half-close). reset: both ways are over, and why.
 */
export type TunnelFrame =
  | { readonly is: 'data'; readonly bytes: Uint8Array }
  | { readonly is: 'credit'; readonly bytes: number }
  | { readonly is: 'end' }
  | { readonly is: 'reset'; readonly message: string }

export function encodeHello(hello: TunnelHello): Uint8Array {
  return encodeCanonical(hello)
}

export function decodeHello(encoded: Uint8Array): TunnelHello {
  return decodeShape(helloSchema, encoded)
}

export function encodeWelcome(welcome: TunnelWelcome): Uint8Array {
  return encodeCanonical(welcome)
}

export function decodeWelcome(encoded: Uint8Array): TunnelWelcome {
  return decodeShape(welcomeSchema, encoded)
}

const DATA = 0
const CREDIT = 1
const END = 2
const RESET = 3

/** One type byte, then the payload: a data frame costs one copy and no map. Each frame is length-prefixed on the stream. */
export function encodeFrame(frame: TunnelFrame): Uint8Array {
  if (frame.is === 'data') return withType(DATA, frame.bytes)
  if (frame.is === 'end') return Uint8Array.of(END)
  if (frame.is === 'reset') return withType(RESET, new TextEncoder().encode(frame.message.slice(0, 256)))
  const bytes = new Uint8Array(5)
  bytes[0] = CREDIT
  new DataView(bytes.buffer).setUint32(1, frame.bytes)
  return bytes
}

export function decodeFrame(encoded: Uint8Array): TunnelFrame {
  const payload = encoded.subarray(1)
  switch (encoded[0]) {
    case DATA:
      if (payload.byteLength === 0 || payload.byteLength > MAX_TUNNEL_FRAME_BYTES) {
        throw new ProtocolError('data', `must have 1 to ${MAX_TUNNEL_FRAME_BYTES} bytes`)
      }
      return { is: 'data', bytes: payload }
    case CREDIT:
      if (payload.byteLength !== 4) throw new ProtocolError('credit', 'must be 4 bytes, big-endian')
      return { is: 'credit', bytes: new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0) }
    case END:
      if (payload.byteLength !== 0) throw new ProtocolError('end', 'has no payload')
      return { is: 'end' }
    case RESET:
      if (payload.byteLength > 1024) throw new ProtocolError('reset', 'has more than 1024 bytes')
      return { is: 'reset', message: new TextDecoder().decode(payload) }
    default:
      throw new ProtocolError('frame', `unknown type ${encoded[0] ?? 'none'}`)
  }
}

function withType(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.byteLength + 1)
  bytes[0] = type
  bytes.set(payload, 1)
  return bytes
}
