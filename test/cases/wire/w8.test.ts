import { describe, expect, it } from 'vitest'
import { decodeCanonical, encodeCanonical, fromDagJson } from '../../../protocols/encoding.ts'
import { EncodingError } from '../../../protocols/errors.ts'
import { map, text } from '../../../scripts/vectors/raw.ts'

describe('DAG-JSON has one reading', () => {
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

it('the key / is reserved in dag-cbor too', () => {
  expect(() => decodeCanonical(map(['/', text('a')]))).toThrow('the map key "/" is not allowed')
  expect(() => encodeCanonical({ '/': 'a' })).toThrow(EncodingError)
})
