import { base58btc } from 'multiformats/bases/base58'
import { addressBytes, formatAddress, formatLegacy, peerIdOf } from '../../protocols/address.ts'
import { blsSignerOf, type Draft, hex, refuses, signerOf, unhex, type VectorFile } from './kit/kit.ts'
import {
  ambiguousText,
  blsAbovePrime,
  blsOutsideSubgroup,
  infinity,
  mixedOrderKey,
  nearlyAmbiguousText,
  SMALL_ORDER,
} from './weird-keys.ts'

/** The addresses of the sample runner configuration that every implementation must load. */
const SEED = [
  'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq',
  '7HHKSu9BNF7GuB3CX8BbUEzx9pp1SqLksigvfMZz9hopvWJJRSW4qrXTKWFq5ExSpm',
  '63dMQGT8u5BvsAE7UniDSbBDmK6igBvcwSVHotaQ6938eMRYPbZSHwAYTgQcACQ2KK',
  'QfzhbWJsPa9NjqxepcXSbp1X58pkQNACS2ReyRo2SMCK',
  'NrHwU6YMS5VZatxo9Z188ptR7dbNyYexRKCYickQBJG4',
  'LvjcXxRbXbKnHSgaJrDWLx7vo8yR3BwpkBXApKukoaGX',
  'JeVZcdi8TQZaX6TKhtSKLCzMQMRCx5JjsQTiGbAaLPXW',
]

export function address(): VectorFile {
  return {
    about:
      'Texts, bytes and peer ids of addresses. `text` in the result is the spelling that an implementation writes.',
    cases: [...spellings(), ...texts(), ...bytes(), ...peers()],
  }
}

function spellings(): Draft[] {
  const ed = signerOf('author').address
  const bls = blsSignerOf('hub').address
  const text = formatAddress(ed)
  return [
    ...SEED.map((seed) => parse(`seed: ${seed}`, seed)),
    parse('ed25519', text),
    parse('ed25519 with prefix', `ed25519:${text}`),
    parse('ed25519, legacy with prefix', formatLegacy(ed)),
    parse('ed25519, legacy without prefix', formatLegacy(signerOf('legacy 1').address).slice('legacy:'.length)),
    parse('bls', formatAddress(bls)),
    parse('bls with prefix', `bls12-381:${formatAddress(bls)}`),
    parse('bls, hex', `0x${hex(bls.key)}`),
    parse('bls, hex in upper case', `0x${hex(bls.key).toUpperCase()}`),
    parse('bls, hex with prefix: 108 characters, the longest', `bls12-381:0x${hex(bls.key)}`),
    parse('two valid keys: today\u2019s reading', `ed25519:${ambiguousText()}`),
    parse('two valid keys: the legacy reading', `legacy:${ambiguousText()}`),
    parse('decodes to 32 bytes, but only the legacy reading is a valid key', nearlyAmbiguousText()),
  ]
}

function texts(): Draft[] {
  const text = formatAddress(signerOf('author').address)
  const bad = refuses('address', 'address')
  return [
    { ...parse('two valid keys', ambiguousText()), ...bad },
    { ...parse('empty', ''), ...bad },
    { ...parse('a character that base58 has not', `0${text.slice(1)}`), ...bad },
    { ...parse('two characters short', text.slice(2)), ...bad },
    { ...parse('a space after it', `${text} `), ...bad },
    { ...parse('unknown prefix', `rsa:${text}`), ...bad },
    { ...parse('a prefix that is a word of JavaScript', `constructor:${text}`), ...bad },
    { ...parse('empty prefix', `:${text}`), ...bad },
    { ...parse('upper-case prefix', `ED25519:${text}`), ...bad },
    { ...parse('prefix twice', `ed25519:ed25519:${text}`), ...bad },
    { ...parse('bls with the ed25519 prefix', `ed25519:${formatAddress(blsSignerOf('hub').address)}`), ...bad },
    { ...parse('bls, hex without 0x', hex(blsSignerOf('hub').address.key)), ...bad },
    { ...parse('bls at infinity', base58btc.baseEncode(infinity(48))), ...bad },
    { ...parse('bls outside the subgroup', base58btc.baseEncode(blsOutsideSubgroup())), ...bad },
    { ...parse('bls, compression bit missing', `0x17${hex(blsSignerOf('hub').address.key).slice(2)}`), ...bad },
    { ...parse('ed25519 of mixed order', base58btc.baseEncode(mixedOrderKey())), ...bad },
    ...SMALL_ORDER.map(([name, key]) => {
      return {
        ...parse(`ed25519 of small order: ${name}`, `ed25519:${base58btc.baseEncode(Buffer.from(key, 'hex'))}`),
        ...bad,
      }
    }),
    { ...parse('bls, x above p', `0x${hex(blsAbovePrime())}`), ...bad },
    { ...parse('bls, x above p, base58', base58btc.baseEncode(blsAbovePrime())), ...bad },
    { ...parse('bls, infinity bit on a point', `0x${hex(withFirst(blsSignerOf('hub').address.key, 0x40))}`), ...bad },
    { ...parse('bls, infinity with the sign bit', `0xe0${'00'.repeat(47)}`), ...bad },
    { ...parse('bls, infinity with a bit beside', `0xc0${'00'.repeat(46)}01`), ...bad },
    { ...parse('bls, 0X', `0X${hex(blsSignerOf('hub').address.key)}`), ...bad },
    { ...parse('109 characters', `bls12-381:0x${hex(blsSignerOf('hub').address.key)}0`), ...bad },
    { ...parse('a character above U+00FF, which one library reads as a digit', `\u4ef7${text.slice(1)}`), ...bad },
    { ...parse('a character above U+007F', `\u00e9${text.slice(1)}`), ...bad },
    { ...parse('a space before it', ` ${text}`), ...bad },
    { ...parse('much too long', '1'.repeat(1000)), ...bad },
  ]
}

function bytes(): Draft[] {
  const ed = addressBytes(signerOf('author').address)
  const bls = addressBytes(blsSignerOf('hub').address)
  const bad = refuses('address', 'address', 'shape')
  return [
    decode('bytes: ed25519', ed),
    decode('bytes: bls', bls),
    { ...decode('bytes: none', new Uint8Array()), ...bad },
    { ...decode('bytes: one short', ed.subarray(0, 33)), ...bad },
    { ...decode('bytes: one long', Uint8Array.of(...ed, 0)), ...bad },
    { ...decode('bytes: bls codec on an ed25519 key', Uint8Array.of(0xea, 0x01, ...ed.subarray(2))), ...bad },
    { ...decode('bytes: secp256k1 codec', Uint8Array.of(0xe7, 0x01, 2, ...ed.subarray(2))), ...bad },
    { ...decode('bytes: varint not in its shortest form', Uint8Array.of(0xed, 0x81, 0x00, ...ed.subarray(2))), ...bad },
  ]
}

function peers(): Draft[] {
  const peerId = peerIdOf(signerOf('author').address)
  const bad = refuses('address', 'peer id')
  return [
    { name: 'peer id', op: 'address.of-peer', peerId },
    {
      name: 'peer id whose key is no point',
      op: 'address.of-peer',
      peerId: peerIdOf({ type: 'ed25519', key: unhex(`02${'00'.repeat(31)}`) }),
    },
    {
      name: 'peer id of an RSA key',
      op: 'address.of-peer',
      peerId: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
      ...bad,
    },
    {
      name: 'peer id with a character above U+00FF',
      op: 'address.of-peer',
      peerId: `${peerId.slice(0, 20)}\u4ef7${peerId.slice(21)}`,
      ...bad,
    },
    { name: 'peer id as a CID', op: 'address.of-peer', peerId: 'bafzaajaiaejcabcdef', ...bad },
    { name: 'peer id, cut', op: 'address.of-peer', peerId: peerId.slice(0, -1), ...bad },
  ]
}

function withFirst(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, at) => (at === 0 ? byte | bits : byte))
}

function parse(name: string, text: string): Draft {
  return { name, op: 'address.parse', text }
}

function decode(name: string, value: Uint8Array): Draft {
  return { name, op: 'address.decode', bytes: hex(value) }
}
