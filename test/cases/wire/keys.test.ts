import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { peerIdFromString } from '@libp2p/peer-id'
import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import {
  addressBytes,
  addressOfPeerId,
  formatAddress,
  isValidKey,
  parseAddress,
  peerIdBytes,
  peerIdOf,
} from '../../../protocols/address.ts'
import { claimDistance } from '../../../protocols/claims.ts'
import { AddressError } from '../../../protocols/errors.ts'
import { decodeFreeze, encodeFreeze, type FreezeBody } from '../../../protocols/freeze.ts'
import { MAX_ADDRESS_TEXT_LENGTH } from '../../../protocols/limits.ts'
import { provePossession } from '../../../protocols/multisig.ts'
import { createKeyCache, verifySignature } from '../../../protocols/signature.ts'
import { blsSignerOf, EXPIRES, hex, ISSUED, NETWORK, signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { CODE, peer } from '../../../scripts/vectors/kit/samples.ts'
import { blsHub, hub } from '../../../scripts/vectors/kit/statement-kit.ts'
import { blsAbovePrime, SMALL_ORDER } from '../../../scripts/vectors/weird-keys.ts'

const signer = blsSignerOf('hub')
const { address } = signer
const author = signerOf('author').address

it('W2: the longest spelling of a key is an address, and one more character is none', () => {
  const longest = `bls12-381:0x${hex(address.key)}`
  expect(longest).toHaveLength(MAX_ADDRESS_TEXT_LENGTH)
  expect(parseAddress(longest)).toEqual(address)
  expect(() => parseAddress(`${longest}0`)).toThrow(/the longest has 108 characters/)
})

it('W2: every character counts: none beyond base58 is read as a digit', () => {
  const [text, peerId] = [formatAddress(author), peerIdOf(author)]
  for (const other of ['\u4ef7', '\u0431', '\u00e9', ' ', '\0', '0', 'l']) {
    for (let at = 0; at <= text.length; at++) {
      expect(() => parseAddress(text.slice(0, at) + other + text.slice(at + 1))).toThrow(AddressError)
    }
    for (let at = 0; at <= peerId.length; at++) {
      expect(() => addressOfPeerId(peerId.slice(0, at) + other + peerId.slice(at + 1))).toThrow(AddressError)
    }
  }
})

it('W10: x at p or above, or flags that say something else, are no key', () => {
  expect(isValidKey({ type: 'bls12-381', key: blsAbovePrime() })).toBe(false)
  for (const flags of [0x00, 0x20, 0x40, 0xc0, 0xe0]) {
    const key = address.key.map((byte, at) => (at === 0 ? (byte & 0x1f) | flags : byte))
    expect(isValidKey({ type: 'bls12-381', key })).toBe(false)
  }
})

it('W10: a proof of possession is an ordinary signature of the address bytes', () => {
  const signature = provePossession(signer, NETWORK)
  const what = { network: NETWORK, kind: 'possession', who: 'member' }
  const signed = { ...what, address, bytes: addressBytes(address), signature }
  expect(() => verifySignature(createKeyCache(), signed)).not.toThrow()
})

it('W10: a BLS address is written in base58 without prefix, however it was read', () => {
  const text = formatAddress(address)
  expect(text).toMatch(/^[1-9A-HJ-NP-Za-km-z]{60,66}$/)
  const key = hex(address.key)
  const spellings = [text, `bls12-381:${text}`, `0x${key}`, `bls12-381:0x${key.toUpperCase()}`]
  for (const spelling of spellings) expect(formatAddress(parseAddress(spelling))).toBe(text)
})

const freezeOn = (chain: string): FreezeBody => ({
  ...{ v: 1, hub: addressBytes(hub.address), address: addressBytes(hub.address) },
  ...{ chain, amount: '1', issued: ISSUED, expires: EXPIRES, seq: 0 },
})

it.each(['sol', 'eip155:1', formatAddress(hub.address), formatAddress(blsHub.address)])(
  'W11: %s is a chain',
  (chain) => {
    expect(decodeFreeze(encodeFreeze(freezeOn(chain))).chain).toBe(chain)
  },
)

it.each(['SOL', 'Sol', `ed25519:${formatAddress(hub.address)}`, `0x${hex(blsHub.address.key)}`])(
  'W11: %s would be another spelling of one, and another subject',
  (chain) => {
    expect(() => encodeFreeze(freezeOn(chain))).toThrow(/^chain: must be a host chain's name in lower case/)
  },
)

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

it('W12: the bytes of a peer id are those of libp2p, 38 of them; those of a CID are 36', () => {
  const text = peerIdOf(peer.address)
  expect(hex(peerIdBytes(peer.address))).toBe(hex(peerIdFromString(text).toMultihash().bytes))
  expect(peerIdBytes(addressOfPeerId(text))).toHaveLength(38)
  expect(CODE.bytes).toHaveLength(36)
})

it('W12: the distance is of the hashes of exactly these', () => {
  const [a, b] = [sha256(peerIdFromString(peerIdOf(peer.address)).toMultihash().bytes), sha256(CODE.bytes)]
  expect(hex(claimDistance(peer.address, CODE))).toBe(hex(a.map((byte, at) => byte ^ (b[at] ?? 0))))
})

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('S4: an ed25519 signature whose R has small order', () => {
  const key = bytes('191299cd0b2f38571deaa5039b17e617cce7d9353e9d055d53533e36e34ede65')
  const message = bytes('7468756e646572636c6f7564')
  const s = '4199bfcb4f7b7fd097d5a3c3702422b3bbdf5133f895a30daf4114340cba4f0b'

  it('is refused, whatever the runtime says of it', () => {
    const identity = bytes(`01${'00'.repeat(31)}${s}`)
    expect(ed25519.verify(identity, message, key, { zip215: false })).toBe(true)
    expect(createKeyCache().verify({ type: 'ed25519', key }, message, identity)).toBe('bad-signature')
  })

  it.each(SMALL_ORDER)('as is a key of %s', (_name, point) => {
    const everything = bytes(`58${'66'.repeat(31)}01${'00'.repeat(31)}`)
    const keys = createKeyCache()
    expect(keys.verify({ type: 'ed25519', key: bytes(point) }, message, everything)).not.toBe('valid')
  })

  it.each(SMALL_ORDER)('also with R of %s', (_name, point) => {
    expect(createKeyCache().verify({ type: 'ed25519', key }, message, bytes(point + s))).toBe('bad-signature')
  })
})

const readme = readFileSync(new URL('../../../protocols/README.md', import.meta.url), 'utf8')

it('W1: the specification, not a library, says which R is refused, and before what', () => {
  const section = readme.slice(readme.indexOf('## 4 Signatures'), readme.indexOf('## 5 Service'))
  expect(section).toContain('`R` is no point of small order')
  expect(section).toMatch(/before any library sees it/)
  expect(section).not.toMatch(/OpenSSL verify so/)
})

type Case = { name: string; op: string; expect?: Record<string, unknown>; error?: { also?: string[] } }

const FOLDER = new URL('../../../protocols/vectors/', import.meta.url)
const cases = readdirSync(FOLDER).flatMap(
  (name) => (JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { cases: Case[] }).cases,
)
const of = (op: string) => cases.filter((one) => one.op === op)
const also = (op: string) => of(op).flatMap(({ error }) => (error === undefined ? [] : [error.also]))

it('W3: where two classes hold, the vector lists them', () => {
  expect(also('address.decode')).toEqual(Array(6).fill(['shape']))
  expect(also('members.pin').every((classes) => classes?.includes('members'))).toBe(true)
  const names = of('signature.verify').filter(({ name, error }) => name.startsWith('network:') && error)
  expect(names.map(({ error }) => error?.also)).toEqual(Array(9).fill(['signature']))
})

it.each(['archive.tar', 'tunnel.session', 'archive.unzstd', 'stream.read', 'sync.page', 'json.read', 'claims.claim'])(
  'W13: %s has cases that are taken and cases that are refused',
  (op) => {
    expect(of(op).some(({ error }) => error === undefined)).toBe(true)
    expect(of(op).some(({ error }) => error !== undefined)).toBe(true)
  },
)

it('W13: chains of delegations that hold and that do not, and each answer of the gate', () => {
  const depths = of('delegation.chain').map((one) => one.expect?.depth)
  expect(depths.some((depth) => depth === null) && depths.some((depth) => depth !== null)).toBe(true)
  const answers = new Set(of('gate.answer').map((one) => one.expect?.answer))
  expect([...answers].toSorted()).toEqual(['accept', 'ignore', 'reject', 'wait'])
})

it('W13: each statement has its id and the id of its message on the topic', () => {
  for (const one of of('statement.open').filter(({ error }) => error === undefined)) {
    const ids = { id: expect.stringMatching(/^bafy/), messageId: expect.stringMatching(/^[0-9a-f]{40}$/) }
    expect(one.expect).toMatchObject(ids)
  }
})
