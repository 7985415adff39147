import { readFileSync } from 'node:fs'
import { encode as varint } from 'uint8-varint'
import { describe, expect, it } from 'vitest'
import { accessFor, signAccess } from '../../../protocols/access.ts'
import {
  cidOfBytes,
  cidOfStructure,
  compareBytes,
  decodeCanonical,
  encodeCanonical,
  fromDagJson,
  toDagJson,
} from '../../../protocols/encoding.ts'
import { EncodingError, ProtocolError, TicketError } from '../../../protocols/errors.ts'
import { lowerTicket } from '../../../protocols/redirection.ts'
import { decodeService } from '../../../protocols/service.ts'
import { decodeStop } from '../../../protocols/stop.ts'
import { decodeResultsRequest } from '../../../protocols/streams/results.ts'
import { decodeStatusAnswer, decodeStatusRequest } from '../../../protocols/streams/status.ts'
import { checkPage, decodeSyncAnswer, decodeSyncRequest, type SyncItem } from '../../../protocols/streams/sync.ts'
import { decodeFrame, decodeHello } from '../../../protocols/streams/tunnel.ts'
import { ISSUED, NETWORK } from '../../../scripts/vectors/kit/kit.ts'
import { author, CODE, peer } from '../../../scripts/vectors/kit/samples.ts'
import { map, text } from '../../../scripts/vectors/raw.ts'
import { LengthPrefixedDecoder } from '../../../src/network/streams/length-prefixed-decoder.ts'

const readme = readFileSync(new URL('../../../protocols/README.md', import.meta.url), 'utf8')

it.each(['00616263', '0100040000', '02', '03776879'])('W4: the frame %s as JSON is in the specification', (hex) => {
  const json = JSON.parse(toDagJson(decodeFrame(Buffer.from(hex, 'hex')))) as { is: string }
  const shown = readme.match(/\{"is":"[^`]*\}/g)?.map((text) => JSON.parse(text) as unknown)
  expect(shown).toContainEqual(json)
})

it('W4: a reset that is no UTF-8 is malformed', () => {
  expect(() => decodeFrame(Uint8Array.of(3, 0xff))).toThrow(ProtocolError)
})

it('W4: a ticket is lowered to whole numbers only', () => {
  expect(() => lowerTicket({ depth: 2, proof: new Uint8Array(32) }, 1.5)).toThrow(TicketError)
})

it('W4: a service that is too large is refused by its size', () => {
  expect(() => decodeService(new Uint8Array(16_385))).toThrow('has 16385 bytes')
})

const RAW = cidOfBytes(Uint8Array.of(1))
const WANTED = /must be an id: a CIDv1, dag-cbor/

describe('W5: a raw CID where an id should be', () => {
  it.each([
    ['status', decodeStatusRequest, { v: 1, want: 'receipt', service: RAW }],
    ['logs', decodeStatusRequest, { v: 1, want: 'logs', service: RAW, tail: 1, follow: false }],
    ['results', decodeResultsRequest, { v: 1, want: 'manifest', service: RAW }],
    ['hello', decodeHello, { v: 1, service: RAW, port: 'http' }],
    ['sync, list', decodeSyncRequest, { v: 1, want: 'list', after: RAW }],
    ['sync, statements', decodeSyncRequest, { v: 1, want: 'statements', after: RAW }],
    ['sync, offer', decodeSyncRequest, { v: 1, want: 'offer', items: [[RAW, 0]] }],
    ['sync, items', decodeSyncAnswer, { is: 'items', items: [[RAW, 0]], more: false }],
  ] as const)('%s', (_, decode, message) => {
    expect(() => decode(encodeCanonical(message))).toThrow(WANTED)
  })

  it('access', () => {
    const body = accessFor(RAW, peer.address, ['logs'], { issued: ISSUED, expires: ISSUED + 60 })
    expect(() => signAccess(body, NETWORK, author)).toThrow(WANTED)
  })
})

const logs = { v: 1, want: 'logs', service: CODE, tail: 1, follow: false }
const hello = { v: 1, service: CODE, port: 'http' }

it.each([
  ['token of a status request', 512, decodeStatusRequest, (token: Uint8Array) => ({ ...logs, token })],
  ['token of a hello', 512, decodeHello, (token: Uint8Array) => ({ ...hello, token })],
  [
    'announcement told',
    16_384,
    decodeSyncRequest,
    (announcement: Uint8Array) => ({ v: 1, want: 'tell', announcement }),
  ],
  [
    'announcement pulled',
    16_384,
    decodeSyncAnswer,
    (announcement: Uint8Array) => ({ is: 'announcement', announcement }),
  ],
  ['statement pulled', 4_096, decodeSyncAnswer, (statement: Uint8Array) => ({ is: 'statement', statement })],
  ['receipt answered', 32_768, decodeStatusAnswer, (receipt: Uint8Array) => ({ is: 'receipt', receipt })],
] as const)('W6: %s: %i bytes, and the message around it refuses more', (_, max, decode, wrap) => {
  expect(() => decode(encodeCanonical(wrap(new Uint8Array(max))))).not.toThrow()
  expect(() => decode(encodeCanonical(wrap(new Uint8Array(max + 1))))).toThrow(`must be at most ${max} bytes`)
})

it.each([
  ['service', decodeService],
  ['stop', decodeStop],
])('W6: the body of a %s has at most 16384 bytes', (_, decode) => {
  expect(() => decode(new Uint8Array(16_385))).toThrow('has 16385 bytes, at most 16384 are allowed')
})

const ids = Array.from({ length: 5 }, (_, index) => cidOfStructure(Uint8Array.of(index)))
const items: SyncItem[] = ids.toSorted((a, b) => compareBytes(a.bytes, b.bytes)).map((id) => [id, 1])
const [first, second] = items as [SyncItem, SyncItem]

it('W7: a page that ascends leads on', () => {
  expect(() => checkPage({ items, more: true })).not.toThrow()
  expect(() => checkPage({ items: items.slice(1), more: false }, first[0])).not.toThrow()
  expect(() => checkPage({ items: [], more: false }, first[0])).not.toThrow()
})

it('W7: one that does not is refused, and names the place', () => {
  expect(() => checkPage({ items: [second, first], more: false })).toThrow('items[1]: does not come after')
  expect(() => checkPage({ items: [first, first], more: false })).toThrow('items[1]: does not come after')
  expect(() => checkPage({ items: [first], more: true }, first[0])).toThrow('items[0]: does not come after')
  expect(() => checkPage({ items: [], more: true })).toThrow('more: says that there are others and lists none')
})

describe('W8: DAG-JSON has one reading', () => {
  it.each([
    '{"/":{"bytes":"AA=="}}',
    '{"/":1}',
    '{"/":null}',
    '{"a":1,"/":{"bytes":"AA"}}',
    '{"/":{"bytes":"AA"},"a":1}',
    '{"a":1,"a":1}',
    '1.0',
    '1e3',
    '-0.0',
    '-0',
  ])('%s is refused', (json) => {
    expect(() => fromDagJson(json)).toThrow(EncodingError)
  })

  it('the refusal names field and place', () => {
    expect(() => fromDagJson('{"a":[1,2.0]}')).toThrow(
      'a[1]: is not DAG-JSON: "2.0" is no integer in its plain spelling (at character 11)',
    )
  })

  it('the order of keys means nothing', () => {
    const [one, other] = ['{"b":{"/":{"bytes":"AA"}},"a":2}', '{ "a": 2, "b": {"/": {"bytes": "AA"}} }']
    expect(encodeCanonical(fromDagJson(one))).toEqual(encodeCanonical(fromDagJson(other)))
  })
})

it('W8: the key / is reserved in dag-cbor too', () => {
  expect(() => decodeCanonical(map(['/', text('a')]))).toThrow('the map key "/" is not allowed')
  expect(() => encodeCanonical({ '/': 'a' })).toThrow(EncodingError)
})

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const read = (hex: string) => new LengthPrefixedDecoder(300).add(bytes(hex))

it('W9: a length has one spelling', () => {
  expect(read('8100aa')).toBe('a length came that is not in its shortest form')
  expect(read('80808000')).toBe('a length came that is not in its shortest form')
  expect(read('ac02')).toBeUndefined()
  expect(read('ad02')).toBe('a message of 301 bytes came; at most 300 are taken')
  expect(read('8080808080')).toMatch(/^a message of Infinity bytes/)
})

it('W9: no message is empty', () => {
  expect(read('00')).toBe('an empty message came')
  expect(read('01aa00')).toBe('an empty message came')
})

it('W9: what we write is what we read', () => {
  for (const length of [1, 127, 128, 300, 16_383]) {
    const reader = new LengthPrefixedDecoder(16_383)
    expect(reader.add(Uint8Array.of(...varint(length), ...new Uint8Array(length)))).toBeUndefined()
    expect(reader.take()?.byteLength).toBe(length)
  }
})
