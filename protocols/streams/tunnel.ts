import { z } from 'zod'
import { ProtocolError } from '../errors.ts'
import { MAX_REQUEST_BYTES, MAX_TOKEN_BYTES, MAX_TUNNEL_FRAME_BYTES, TUNNEL_WINDOW_BYTES } from '../limits.ts'
import { decodeWith, encodeWith, innerBytes, structureId, text } from '../schema.ts'
import { nameSchema } from '../service.ts'

export const TUNNEL_PROTOCOL = '/thundercloud/tunnel/1'

const helloSchema = z.strictObject({
  v: z.literal(1),
  service: structureId,
  port: nameSchema,
  token: innerBytes(MAX_TOKEN_BYTES).optional(),
})
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
  return encodeWith(helloSchema, hello, MAX_REQUEST_BYTES)
}

export function decodeHello(encoded: Uint8Array): TunnelHello {
  return decodeWith(helloSchema, encoded, MAX_REQUEST_BYTES)
}

export function encodeWelcome(welcome: TunnelWelcome): Uint8Array {
  return encodeWith(welcomeSchema, welcome, MAX_REQUEST_BYTES)
}

export function decodeWelcome(encoded: Uint8Array): TunnelWelcome {
  return decodeWith(welcomeSchema, encoded, MAX_REQUEST_BYTES)
}

const DATA = 0
const CREDIT = 1
const END = 2
const RESET = 3

const MAX_RESET_BYTES = 1024
/** Keeps a leading U+FEFF (it is part of the text) and throws on what is no UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One type byte, then the payload: a data frame costs one copy and no map. Each frame is length-prefixed on the stream. */
export function encodeFrame(frame: TunnelFrame): Uint8Array {
  switch (frame.is) {
    case 'data':
      checkData(frame.bytes)
      return withType(DATA, frame.bytes)
    case 'credit': {
      checkCredit(frame.bytes)
      const bytes = new Uint8Array(5)
      bytes[0] = CREDIT
      new DataView(bytes.buffer).setUint32(1, frame.bytes)
      return bytes
    }
    case 'end':
      return Uint8Array.of(END)
    case 'reset':
      return withType(RESET, resetBytes(frame.message))
  }
}

/** The bytes of a data frame are a view of `encoded`. */
export function decodeFrame(encoded: Uint8Array): TunnelFrame {
  const payload = encoded.subarray(1)
  switch (encoded[0]) {
    case DATA:
      checkData(payload)
      return { is: 'data', bytes: payload }
    case CREDIT: {
      if (payload.byteLength !== 4) throw new ProtocolError('credit', 'must be 4 bytes, big-endian')
      const bytes = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0)
      checkCredit(bytes)
      return { is: 'credit', bytes }
    }
    case END:
      if (payload.byteLength !== 0) throw new ProtocolError('end', 'has no payload')
      return { is: 'end' }
    case RESET:
      if (payload.byteLength > MAX_RESET_BYTES)
        throw new ProtocolError('reset', `has more than ${MAX_RESET_BYTES} bytes`)
      return { is: 'reset', message: resetText(payload) }
    default:
      throw new ProtocolError('frame', `has the unknown type ${encoded[0] ?? 'none'}`)
  }
}

function checkData(bytes: Uint8Array): void {
  if (bytes.byteLength === 0 || bytes.byteLength > MAX_TUNNEL_FRAME_BYTES) {
    throw new ProtocolError('data', `must have 1 to ${MAX_TUNNEL_FRAME_BYTES} bytes`)
  }
}

/** No side can have taken more since its last credit than the other was ever allowed to have under way. */
function checkCredit(bytes: number): void {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > TUNNEL_WINDOW_BYTES) {
    throw new ProtocolError('credit', `must be a whole number from 1 to ${TUNNEL_WINDOW_BYTES}`)
  }
}

/** As many whole characters as fit. */
function resetBytes(message: string): Uint8Array {
  const bytes = new Uint8Array(MAX_RESET_BYTES)
  return bytes.subarray(0, new TextEncoder().encodeInto(message, bytes).written)
}

function resetText(payload: Uint8Array): string {
  try {
    return utf8.decode(payload)
  } catch (cause) {
    throw new ProtocolError('reset', 'is not valid UTF-8', { cause })
  }
}

function withType(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.byteLength + 1)
  bytes[0] = type
  bytes.set(payload, 1)
  return bytes
}
