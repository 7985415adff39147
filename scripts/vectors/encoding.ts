import { cidOfStructure, encodeCanonical } from '../../protocols/encoding.ts'
import { MAX_NESTING } from '../../protocols/limits.ts'
import { type Draft, hex, refuses, unhex, type VectorFile } from './kit/kit.ts'
import { array, bytes, head, join, link, map, nested, text, uint } from './raw.ts'

const CID = cidOfStructure(new Uint8Array()).bytes
const NULL = unhex('f6')

export function encoding(): VectorFile {
  return {
    about: 'dag-cbor in canonical form. `cid` and `rawCid` name the bytes as a structure and as plain bytes.',
    cases: [...valid(), ...numbers(), ...maps(), ...texts(), ...links(), ...broken(), ...unwritable(), ...json()],
  }
}

function valid(): Draft[] {
  const values: [string, unknown][] = [
    ['zero', 0],
    ['23', 23],
    ['24', 24],
    ['255', 255],
    ['256', 256],
    ['65536', 65_536],
    ['2^32 - 1', 2 ** 32 - 1],
    ['2^32', 2 ** 32],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
    ['-1', -1],
    ['-(2^53 - 1)', -Number.MAX_SAFE_INTEGER],
    ['true', true],
    ['false', false],
    ['null', null],
    ['no bytes', new Uint8Array()],
    ['24 bytes', new Uint8Array(24)],
    ['empty text', ''],
    ['text beyond ASCII', '\u00e9\u4ef7\ud83c\udf29'],
    ['text that begins with U+FEFF', '\ufeffa'],
    ['text with a zero', 'a\0b'],
    ['empty list', []],
    ['empty map', {}],
    ['map: shorter keys first, then by bytes', { aa: 1, b: 2, a: 3, '\u00e9': 4, '': 5 }],
    ['map: words of JavaScript are keys like any other', { constructor: 1, toString: 2 }],
  ]
  return [
    ...values.map(([name, value]) => decode(name, encodeCanonical(value))),
    decode('link, dag-cbor', link(CID)),
    decode('link, raw', link(join(unhex('0155'), CID.subarray(2)))),
    decode(`nested ${MAX_NESTING} deep`, nested(MAX_NESTING)),
  ]
}

function numbers(): Draft[] {
  return [
    bad('2^53', uint(2n ** 53n)),
    bad('2^64 - 1', uint(2n ** 64n - 1n)),
    bad('-(2^53)', head(1, 2n ** 53n - 1n)),
    bad('-(2^64)', head(1, 2n ** 64n - 1n)),
    bad('23 in two bytes', head(0, 23, 1)),
    bad('255 in three bytes', head(0, 255, 2)),
    bad('65535 in five bytes', head(0, 65_535, 4)),
    bad('2^32 - 1 in nine bytes', head(0, 2 ** 32 - 1, 8)),
    bad('-1 in two bytes', head(1, 0, 1)),
    bad('float 1.5, half', unhex('f93e00')),
    bad('float 1.5, single', unhex('fa3fc00000')),
    bad('float 1.5, double', unhex('fb3ff8000000000000')),
    bad('float 1.0, double', unhex('fb3ff0000000000000')),
    bad('float -0.0', unhex('fb8000000000000000')),
    bad('NaN', unhex('fb7ff8000000000000')),
    bad('infinity', unhex('fb7ff0000000000000')),
    bad('undefined', unhex('f7')),
    bad('simple value 0', unhex('e0')),
    bad('simple value 255', unhex('f8ff')),
    bad('true as a simple value in two bytes', unhex('f815')),
    bad('reserved head', unhex('1c')),
  ]
}

function maps(): Draft[] {
  return [
    bad('a key twice', map(['a', uint(1)], ['a', uint(2)])),
    bad('a key twice, with the same value', map(['a', uint(1)], ['a', uint(1)])),
    bad('keys by bytes, not by length', map(['aa', uint(1)], ['b', uint(2)])),
    bad('keys of one length in the wrong order', map(['b', uint(1)], ['a', uint(2)])),
    bad('a number as key', join(head(5, 1), uint(1), uint(1))),
    bad('bytes as key', join(head(5, 1), bytes(unhex('61')), uint(1))),
    bad('key length not in its shortest form', join(head(5, 1), head(3, 1, 1), unhex('61'), uint(1))),
    bad('map length not in its shortest form', join(head(5, 1, 1), text('a'), uint(1))),
    bad('indefinite map', join(unhex('bf'), text('a'), uint(1), unhex('ff'))),
    bad('key __proto__', map(['__proto__', uint(1)])),
    bad('key __proto__ with a map', map(['__proto__', map(['stop', unhex('f5')])])),
    bad('key /', map(['/', uint(1)])),
    bad('key / with a text, as DAG-JSON writes a CID', map(['/', text('a')])),
    bad('key that is no UTF-8', join(head(5, 1), head(3, 1), unhex('ff'), uint(1))),
  ]
}

function texts(): Draft[] {
  return [
    bad('text that is no UTF-8', join(head(3, 2), unhex('c328'))),
    bad('text with a surrogate', join(head(3, 3), unhex('eda080'))),
    bad('text with an overlong slash', join(head(3, 2), unhex('c0af'))),
    bad('text above U+10FFFF', join(head(3, 4), unhex('f4908080'))),
    bad('text cut inside a character', join(head(3, 1), unhex('c3'))),
    bad('text length not in its shortest form', join(head(3, 1, 2), unhex('61'))),
    bad('indefinite text', join(unhex('7f'), text('a'), unhex('ff'))),
    bad('indefinite bytes', join(unhex('5f'), bytes(unhex('00')), unhex('ff'))),
    bad('bytes length not in its shortest form', join(head(2, 1, 1), unhex('00'))),
  ]
}

function links(): Draft[] {
  const digest = CID.subarray(4)
  return [
    bad('link without the leading zero', join(head(6, 42), bytes(CID))),
    bad('link with another leading byte', join(head(6, 42), bytes(join(unhex('01'), CID)))),
    bad('link that holds text', join(head(6, 42), text('bafy'))),
    bad('link of version 0', link(join(unhex('1220'), digest))),
    bad('link of another codec', link(join(unhex('01701220'), digest))),
    bad('link of sha2-512', link(join(unhex('01711340'), digest, digest))),
    bad('link with an identity hash', link(unhex('01550001aa'))),
    bad('link with a cut hash', link(join(unhex('0171121f'), digest.subarray(1)))),
    bad('link whose hash has one byte more than it says', link(join(unhex('0171121f'), digest))),
    bad('link with a byte too many', link(join(CID, unhex('00')))),
    bad('link with a long varint', link(join(unhex('01f1001220'), digest))),
    bad('tag 42 in three bytes', join(head(6, 42, 2), bytes(join(unhex('00'), CID)))),
    bad('tag 2 (bignum)', join(head(6, 2), bytes(unhex('01')))),
    bad('tag 55799 (self-described)', join(head(6, 55_799), uint(1))),
    bad('two tags', join(head(6, 42), link(CID))),
  ]
}

function broken(): Draft[] {
  return [
    bad('nothing', new Uint8Array()),
    bad('a byte after the end', join(uint(1), uint(1))),
    bad('a number cut', unhex('19ff')),
    bad('bytes cut', unhex('4401')),
    bad('list cut', unhex('8201')),
    bad('list of 2^32 - 1 entries that are not there', head(4, 2 ** 32 - 1)),
    bad('list of 2^53 - 1 entries that are not there', head(4, 2n ** 53n - 1n)),
    bad('map of 2^32 - 1 entries that are not there', head(5, 2 ** 32 - 1)),
    bad('bytes of 2^53 - 1 that are not there', head(2, 2n ** 53n - 1n)),
    bad('break without a beginning', unhex('ff')),
    bad('indefinite list', unhex('9f01ff')),
    bad('list length not in its shortest form', join(head(4, 1, 1), uint(1))),
    bad(`nested ${MAX_NESTING + 1} deep`, nested(MAX_NESTING + 1)),
    bad('nested 16000 deep', nested(16_000)),
    bad('maps nested 17 deep', deepMap(MAX_NESTING + 1)),
    bad('a value in a list that is no value', array(NULL, unhex('f7'))),
  ]
}

function unwritable(): Draft[] {
  return [
    { name: 'write a map in any order', op: 'encoding.encode', value: { bb: 1, c: 2, a: [true, null, 'x'] } },
    { name: 'write a float', op: 'encoding.encode', value: { a: [1.5] }, ...refuses('encoding', 'a[0]') },
    { name: 'write 2^53', op: 'encoding.encode', value: 2 ** 53, ...refuses('encoding') },
    {
      name: 'write half a surrogate pair',
      op: 'encoding.encode',
      value: { a: { b: '\ud800' } },
      ...refuses('encoding', 'a.b'),
    },
  ]
}

function json(): Draft[] {
  const cid = cidOfStructure(new Uint8Array()).toString()
  const read = (name: string, value: string): Draft => ({ name: `json: ${name}`, op: 'json.read', text: value })
  const refused = (name: string, value: string, field = '') => ({ ...read(name, value), ...refuses('encoding', field) })
  const deep = (levels: number, inner = '0') => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`
  return [
    read('numbers', '[0,-1,23,9007199254740991,-9007199254740991]'),
    read('words', '[true,false,null]'),
    read('text with escapes', '"a\\"\\u00e9\\ud83c\\udf29\\/"'),
    read('keys in any order, spaces anywhere', ' { "bb" : 1 ,\n"a":[ ] } '),
    read('bytes', '{"a":{"/":{"bytes":"AQID"}}}'),
    read('bytes, one', '{"/":{"bytes":"AA"}}'),
    read('no bytes', '{"/":{"bytes":""}}'),
    read('a CID', `{"/":"${cid}"}`),
    read('the key / escaped is the key /', `{"\\u002f":"${cid}"}`),
    read('16 deep, and bytes below', deep(16, '{"/":{"bytes":"AA"}}')),
    refused('17 deep', deep(17), Array(16).fill('[0]').join('')),
    refused('bytes with padding', '{"/":{"bytes":"AA=="}}'),
    refused('bytes with bits left over', '{"/":{"bytes":"AB"}}'),
    refused('bytes in the alphabet of URLs', '{"/":{"bytes":"_-8"}}'),
    refused('bytes with a space', '{"/":{"bytes":"AQ ID"}}'),
    refused('bytes as a number', '{"/":{"bytes":7}}'),
    refused('bytes, and a key beside', '{"/":{"bytes":"AA","a":1}}'),
    refused('the key /, and one after it', `{"/":"${cid}","a":1}`),
    refused('the key /, and one before it', `{"a":1,"/":"${cid}"}`),
    refused('the key / with a number', '{"a":{"/":1}}', 'a'),
    refused('the key / with null', '{"/":null}'),
    refused('the key / with an empty map', '{"/":{}}'),
    refused('the key / with a list', '{"/":[]}'),
    refused('a CID in base58', '{"/":"zdpuAyvkgEDQm9TenwGkd5eNaosSxjgEYd8QatfPetgB1CdEZ"}'),
    refused('a CID in capitals', `{"/":"${cid.toUpperCase()}"}`),
    refused(
      'a CID with one capital',
      `{"/":"${cid.slice(0, 20)}${cid.slice(20).replace(/[a-z]/, (letter) => letter.toUpperCase())}"}`,
    ),
    refused('a CID of version 0', '{"/":"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"}'),
    refused('1.0', '[1.0]', '[0]'),
    refused('1e3', '[1e3]', '[0]'),
    refused('-0', '[-0]', '[0]'),
    refused('-0.0', '[-0.0]', '[0]'),
    refused('1.5', '{"a":1.5}', 'a'),
    refused('01', '01'),
    refused('+1', '+1'),
    refused('2^53', '9007199254740992'),
    refused('a key twice', '{"a":1,"a":1}', 'a'),
    refused('a key twice, once escaped', '{"a":1,"\\u0061":1}', 'a'),
    refused('the key __proto__', '{"__proto__":1}', '__proto__'),
    refused('half a surrogate pair', '"\\ud800"'),
    refused('a comma too many', '[1,]', '[1]'),
    refused('a comment', '[1/**/]'),
    refused('single quotes', "'a'"),
    refused('a line feed in quotes', '"a\nb"'),
    refused('something after it', '1 1'),
    refused('nothing', ''),
    refused('U+FEFF before it', '\ufeff1'),
  ]
}

function deepMap(levels: number): Uint8Array {
  let value: Uint8Array = map()
  for (let level = 1; level < levels; level++) value = map(['a', value])
  return value
}

function decode(name: string, value: Uint8Array): Draft {
  return { name, op: 'encoding.decode', bytes: hex(value) }
}

function bad(name: string, value: Uint8Array): Draft & { error: { reason: string; field: string } } {
  return { ...decode(name, value), ...refuses('encoding') }
}
