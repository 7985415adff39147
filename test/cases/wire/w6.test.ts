import { expect, it } from 'vitest'
import { encodeCanonical } from '../../../protocols/encoding.ts'
import { decodeService } from '../../../protocols/service.ts'
import { decodeStatusAnswer, decodeStatusRequest } from '../../../protocols/status.ts'
import { decodeStop } from '../../../protocols/stop.ts'
import { decodeSyncAnswer, decodeSyncRequest } from '../../../protocols/sync.ts'
import { decodeHello } from '../../../protocols/tunnel.ts'
import { CODE } from '../../../scripts/vectors/kit/samples.ts'

const logs = { v: 1, want: 'logs', service: CODE, tail: 1, follow: false }

it.each([
  ['token of a status request', 512, decodeStatusRequest, (inner: Uint8Array) => ({ ...logs, token: inner })],
  ['token of a hello', 512, decodeHello, (inner: Uint8Array) => ({ v: 1, service: CODE, port: 'http', token: inner })],
  [
    'announcement told',
    16_384,
    decodeSyncRequest,
    (inner: Uint8Array) => ({ v: 1, want: 'tell', announcement: inner }),
  ],
  [
    'announcement pulled',
    16_384,
    decodeSyncAnswer,
    (inner: Uint8Array) => ({ is: 'announcement', announcement: inner }),
  ],
  ['statement pulled', 4_096, decodeSyncAnswer, (inner: Uint8Array) => ({ is: 'statement', statement: inner })],
  ['receipt answered', 32_768, decodeStatusAnswer, (inner: Uint8Array) => ({ is: 'receipt', receipt: inner })],
] as const)('%s: %i bytes, and the message around it refuses more', (_, max, decode, wrap) => {
  expect(() => decode(encodeCanonical(wrap(new Uint8Array(max))))).not.toThrow()
  expect(() => decode(encodeCanonical(wrap(new Uint8Array(max + 1))))).toThrow(`must be at most ${max} bytes`)
})

it.each([
  ['service', decodeService],
  ['stop', decodeStop],
])('the body of a %s has at most 16384 bytes', (_, decode) => {
  expect(() => decode(new Uint8Array(16_385))).toThrow('has 16385 bytes, at most 16384 are allowed')
})
