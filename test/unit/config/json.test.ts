import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { expect } from 'vitest'
import { sha256 } from '../../../protocols/encoding.ts'
import { loadPolicy } from '../../../src/config/files/policy.ts'
import { readPolicy, readPolicyText } from '../../../src/config/index.ts'
import { parseJson } from '../../../src/config/json.ts'
import { it, sentenceOf } from '../../fixtures/config/folder.ts'
import { forAll } from '../../fixtures/property.ts'

it('JSON as people write it: means what JSON.parse says, for every JSON', () => {
  forAll(500, [fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 2, '\t')], (text, indent) => {
    const value: unknown = JSON.parse(text)
    if (text.includes('__proto__')) return
    expect(parseJson(JSON.stringify(value, null, indent))).toEqual(value)
  })
})

it('JSON as people write it: refuses what JSON.parse refuses', () => {
  forAll(2000, [fc.string({ unit: fc.constantFrom(...'{}[]",:0-1.e\\tfalsn u'), maxLength: 12 })], (text) => {
    let valid = true
    try {
      JSON.parse(text)
    } catch {
      valid = false
    }
    if (valid) expect(parseJson(text)).toEqual(JSON.parse(text))
    else expect(() => parseJson(text)).toThrow(/^line 1, column \d+: /)
  })
})

it('JSON as people write it: skips comments, but not inside texts', () => {
  const text = '\ufeff// first\n{ /* a, "b": */ "url": "https://x/*y*/" // last\n, "list": [/**/1, // one\n 2] }\n//'
  expect(parseJson(text)).toEqual({ url: 'https://x/*y*/', list: [1, 2] })
})

it.each([
  ['', 'line 1, column 1: the file ends where a value should be'],
  ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: found "\\"" where "," or "}" should be'],
  ['{\n  "a": 1,\n}', 'line 3, column 1: found "}" where a key in double quotes should be'],
  ['{"a": 1', 'line 1, column 8: the file ends where "," or "}" should be'],
  ['[1 2]', 'line 1, column 4: found "2" where "," or "]" should be'],
  ['{"a" 1}', 'line 1, column 6: found "1" where ":" should be'],
  ['{a: 1}', 'line 1, column 2: found "a" where a key in double quotes should be'],
  ['{"a": "x\n"}', 'line 1, column 7: this text is never closed, or has a character that must be escaped'],
  ['{"a": /* never', 'line 1, column 7: this comment is never closed'],
  ['{"a": 1, "b": 2, "a": 3}', 'line 1, column 18: the key "a" is given twice'],
  ['{"__proto__": {}}', 'line 1, column 2: the key "__proto__" is not allowed'],
  ['true false', 'line 1, column 6: found "f" where the end of the file should be'],
  ['['.repeat(100), 'line 1, column 66: nested more than 64 deep'],
])('JSON as people write it: %j: %s', (text, message) => {
  expect(() => parseJson(text)).toThrow(expect.objectContaining({ message }))
})

it('JSON as people write it: takes texts, spaces and comments of a mebibyte', () => {
  const long = 'x'.repeat(1024 * 1024)
  expect(parseJson(JSON.stringify(long))).toBe(long)
  expect(parseJson(`${' \n'.repeat(500_000)}1`)).toBe(1)
  expect(parseJson(`${'// x\n'.repeat(200_000)}1`)).toBe(1)
  expect(parseJson(`${'/**/'.repeat(200_000)}1`)).toBe(1)
  expect(parseJson(JSON.stringify('"'.repeat(500_000)))).toBe('"'.repeat(500_000))
  expect(() => parseJson(`"${long}`)).toThrow('never closed')
})

const MIB = 1024 ** 2
/** So much text that the file is as large as a file may be. */
const ALMOST = MIB - 100
/** Of this process's own time; each takes a fraction of a second. Quadratic work takes minutes. */
const SOON_MS = 10_000

function many(item: (index: number) => string): string {
  const items: string[] = []
  for (let length = 0; length < ALMOST - 100; length += (items.at(-1) as string).length + 1)
    items.push(item(items.length))
  return items.join(',')
}
/** A megabyte of keys or items below one key. */
const keysOf = (name: string, value: string, key = (index: number) => `${name}${index}`) =>
  `{${many((index) => `"${key(index)}":${value}`)}}`
const address = (index: number) => base58btc.baseEncode(sha256(Buffer.from(String(index))))
const long = (text: string) => text.repeat(ALMOST / text.length)

it.for([10 * MIB, MIB + 1])(
  'a configuration of many megabytes: of %i bytes is refused for its size, as a file and as text',
  async (size, { temp }) => {
    const path = temp.in('config.json')
    const text = `{"CUSTOM":{"A":"${'x'.repeat(size - 17)}"}}`.padEnd(size)
    await writeFile(path, text)
    const sentence = `config.json has ${text.length} bytes; allowed are at most 1048576 (1 MiB)`
    await expect(loadPolicy(path)).rejects.toThrow(sentence)
    expect(sentenceOf(() => readPolicyText(text))).toBe(sentence)
  },
)

it('a configuration of many megabytes: may have a megabyte of its own settings', () => {
  const { policy } = readPolicyText(`{"CUSTOM":${keysOf('k', '"v"')}}`)
  expect(Object.keys(policy.config.CUSTOM).length).toBeGreaterThan(50_000)
})

it.each<[string, string, string | RegExp]>([
  ['no JSON', long('x'), /^config\.json is not JSON: line 1, column 1:/],
  ['a comment without end', `/*${long('*')}`, /this comment is never closed$/],
  ['escapes without end', `"${long('\\n')}`, /this text is never closed/],
  ['brackets', long('['), /nested more than 64 deep$/],
  ['a number', `{"DESC_MAX_LEN":${long('1')}}`, /allowed is a whole number from 0 to 4097$/],
  ['unknown keys', keysOf('K', '1'), /^config\.json: K0 \(1\) is not a known key; known keys are /],
  ['one unknown key', `{"${long('k')}":1}`, /^config\.json: \["kkk.*\.\.\.\] \(1\) is not a known key;/],
  ['nodes', `{"STATIC_NODES":[${many((index) => `"x${index}"`)}]}`, /allowed is a list of at most 256 entries$/],
  ['one node', `{"STATIC_NODES":["${long('/ip4')}"]}`, /^config\.json: STATIC_NODES\[0\] is "\/ip4/],
  ['keywords', `{"KEYWORDS":[${many((index) => `"k${index}"`)}]}`, /allowed is a list of at most 1024 entries$/],
  ['hubs', `{"TRUSTED_HUBS":${keysOf('', '{}', address)}}`, /TRUSTED_HUBS has \d+ entries; allowed are at most 1000$/],
  ['roots', `{"TRUST_TREE":{"ROOTS":${keysOf('r', '{}')}}}`, /ROOTS has \d+ entries; allowed are at most 1000$/],
  ['one container', `{"CONTAINERS":["${long('a-')}"]}`, /^config\.json: CONTAINERS\[0\] names no usable owner/],
  [
    'one storage host',
    `{"ALLOWED_STORAGE":["${long(':')}"]}`,
    /allowed is a host name like "github\.com", an address, or a range like "10\.0\.0\.0\/8"$/,
  ],
  ['one target', `{"NETCAP":{"MODE":"allowlist","ALLOW":["${long('a.')}"]}}`, /allowed is host:port in lower case/],
  ['a docker host', `{"DOCKER_CONFIGS":{"host":"${long(':')}g"}}`, /allowed is a host name or IP address$/],
  ['an amount', `{"PRICING":{"kly":{"GIB_HOUR":"${long('1')}"}}}`, /allowed is an amount like 10 or "0\.25"$/],
  ['assets', `{"PRICING":${keysOf('a', '{}')}}`, /PRICING has \d+ entries; allowed are at most 256$/],
  [
    'modes',
    `{"MODES":${keysOf('m', '"warn"')}}`,
    /MODES\.m0 \("warn"\) is not a known key; known keys are desc-length,/,
  ],
])('a megabyte of nonsense is refused in one sentence, soon: %s', (_says, text, sentence) => {
  expect(text.length).toBeLessThanOrEqual(MIB)
  const before = process.cpuUsage()
  const message = sentenceOf(() => readPolicyText(text))
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(SOON_MS)
  expect(message).toMatch(sentence)
  expect(message.length).toBeLessThan(600)
  expect(message).not.toContain('\n')
})

it('a megabyte of nonsense is refused in one sentence, soon: tells the first problems of very many', () => {
  const raw = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`K${index}`, 1]))
  const problems = expect.objectContaining({ length: 20 })
  expect(() => readPolicy({ ...raw, DESC_MAX_LEN: -1 })).toThrow(expect.objectContaining({ problems }))
})
