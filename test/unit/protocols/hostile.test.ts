import { expect, it } from 'vitest'
import { addressBytes, parseAddress } from '../../../protocols/address.ts'
import * as announcements from '../../../protocols/announcement.ts'
import { decodeCanonical, encodeCanonical, fromDagJson, parseCid } from '../../../protocols/encoding.ts'
import { EncodingError, ProtocolError } from '../../../protocols/errors.ts'
import { encodeService, type ServiceBody } from '../../../protocols/service.ts'
import { createKeyCache, verifySignature } from '../../../protocols/signature.ts'
import { decodeHello, encodeFrame, encodeHello } from '../../../protocols/streams/tunnel.ts'
import { hex, NETWORK, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { author, CODE, smallService, TICKET } from '../../../scripts/vectors/kit/samples.ts'
import { ambiguousText } from '../../../scripts/vectors/weird-keys.ts'

const signed = announcements.signService(encodeService(smallService()), NETWORK, author)
const announcement = announcements.encodeAnnouncement({ signed, ticket: TICKET })

it('what JavaScript would let through: a manifest cannot set a prototype', () => {
  const manifest = '{"constructor":{"prototype":{"stop":true}},"__proto__":{"stop":true}}'
  expect(() => fromDagJson(manifest)).toThrow(EncodingError)
  expect(Object.hasOwn(Object.prototype, 'stop')).toBe(false)
})

it('what JavaScript would let through: an environment cannot name __proto__, and keeps every other word', () => {
  const env = JSON.parse('{"__proto__":"x"}') as Record<string, string>
  const run = { ...smallService().run, env }
  expect(() => encodeService({ ...smallService(), run })).toThrow(ProtocolError)
  const kept = { constructor: 'a', hasOwnProperty: 'b' } as unknown as Record<string, string>
  const body = encodeService({ ...smallService(), run: { ...run, env: kept } })
  expect(decodeCanonical(body)).toMatchObject({ run: { env: kept } })
})

it('what JavaScript would let through: what is not data is not written', () => {
  for (const value of [1n, Symbol('a'), () => 1, new Date(0), new Map(), Number.NaN, -0, 2 ** 53]) {
    expect(() => encodeCanonical({ value })).toThrow(EncodingError)
  }
  const circle: unknown[] = []
  circle.push(circle)
  expect(() => encodeCanonical(circle)).toThrow(EncodingError)
})

it('what JavaScript would let through: an optional field that is undefined is left out', () => {
  const hello = { v: 1 as const, service: CODE, port: 'http' }
  expect(hex(encodeHello({ ...hello, token: undefined }))).toBe(hex(encodeHello(hello)))
  expect(decodeHello(encodeHello({ ...hello, token: undefined }))).not.toHaveProperty('token')
})

it('what JavaScript would let through: JSON that nests a million levels is refused, however it hides', () => {
  for (const open of ['[', '{"a":', '["\\"]",']) {
    expect(() => fromDagJson(open.repeat(1_000_000))).toThrow(EncodingError)
  }
  expect(fromDagJson(JSON.stringify('['.repeat(1000)))).toBe('['.repeat(1000))
})

it('what is kept: does not change when the buffer that it came from does', () => {
  const buffer = Buffer.from(announcement)
  const read = announcements.decodeAnnouncement(buffer)
  buffer.fill(0)
  announcements.verifyAnnouncement(read.signed, NETWORK, createKeyCache())
  expect(hex(announcements.encodeAnnouncement(read))).toBe(hex(announcement))
  expect(hex(read.signed.body.author)).toBe(hex(addressBytes(author.address)))
})

it('what is kept: a full key cache still verifies, and never takes a refused key for a known one', () => {
  const keys = createKeyCache(1)
  for (const name of ['a', 'b', 'a', 'c']) {
    const signer = signerOf(name)
    const own = announcements.signService(encodeService(smallService(signer.address)), NETWORK, signer)
    announcements.verifyAnnouncement(own, NETWORK, keys)
    const forged = { ...own, sig: signed.sig }
    expect(() => announcements.verifyAnnouncement(forged, NETWORK, keys)).toThrow(ProtocolError)
  }
})

it('what is kept: a network name cannot reach into what is signed', () => {
  const one = { kind: 'service', who: 'author', address: author.address, bytes: signed.bytes, signature: signed.sig }
  for (const network of ['', 'vectors/service', 'vectors\0', 'V']) {
    expect(() => verifySignature(createKeyCache(), { ...one, network })).toThrow(ProtocolError)
  }
})

const nasty = '\u001b[31m\u202e\n'

it.each([
  ['an address', () => parseAddress(nasty)],
  ['an address with a prefix', () => parseAddress(`${nasty}:a`)],
  ['a content id', () => parseCid(nasty)],
  ['an unknown key', () => encodeService({ ...smallService(), [nasty]: 1 } as ServiceBody)],
  ['a key of a map', () => encodeService({ ...smallService(), run: { ...smallService().run, env: { [nasty]: '' } } })],
  ['JSON', () => fromDagJson(`{"a":${nasty}`)],
])('what an error says: %s: is safe in a terminal', (_name, act) => {
  const message = messageOf(act)
  expect(message).toMatch(/^[ -~]+$/)
  expect(message.length).toBeLessThan(400)
})

it('what an error says: a long reset is cut at a character', () => {
  expect(encodeFrame({ is: 'reset', message: '\ud83c\udf29'.repeat(1000) }).byteLength).toBe(1025)
  expect(encodeFrame({ is: 'reset', message: `${'a'.repeat(1023)}\u00e9` }).byteLength).toBe(1024)
})

it('what an error says: an ambiguous address names both spellings, and both work', () => {
  const message = messageOf(() => parseAddress(ambiguousText()))
  const spellings = message.match(/(ed25519|legacy):[1-9A-HJ-NP-Za-km-z]+/g) ?? []
  const keys = spellings.map((spelling) => hex(parseAddress(spelling).key))
  expect(new Set(keys).size).toBe(2)
})

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof ProtocolError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}
