import { expect, test } from 'vitest'
import { placeAt, rangeOf } from '../../../../../src/api/dashboard/page/pages/policy/json-path.ts'
import { keysAt, valuesAt } from '../../../../../src/api/dashboard/page/pages/policy/schema.ts'
import { changedParts, diffLines } from '../../../../../src/policy/line-diff.ts'

const TEXT = `{
  // what interests us: "KEYWORDS"
  "KEYWORDS": ["web", "prices"], /* { */
  "LIMITS": { "TOTAL": { "MEMORY": "1GiB" } }
}`

function shown(sentence: string): string {
  const { from, to } = rangeOf(sentence, TEXT)
  return TEXT.slice(from, to)
}

test('a sentence of the node leads to what it is about, past comments', () => {
  expect(shown('config.json: KEYWORDS is "web"; allowed is a list')).toBe('"KEYWORDS"')
  expect(shown('config.json: KEYWORDS[1] is 5; allowed is text')).toBe('"prices"')
  expect(shown('config.json: LIMITS.TOTAL.MEMORY is 5')).toBe('"MEMORY"')
  expect(shown('config.json: LIMITS.TOTAL.CPU is missing')).toBe('"TOTAL"')
  expect(shown('config.json is not JSON: line 3, column 3: "x" is no value')).toBe('"')
})

test('what is typed is a key of an object, or a value', () => {
  const at = (text: string) => placeAt(text.replace('|', ''), text.indexOf('|'))
  expect(at('{ | }')).toEqual({ at: 'key', path: [] })
  expect(at('{ "LIMITS": { "TO| } }')).toEqual({ at: 'key', path: ['LIMITS'] })
  expect(at('{ "LIMITS": { "TOTAL": {}, | } }')).toEqual({ at: 'key', path: ['LIMITS'] })
  expect(at('{ "MODE": | }')).toEqual({ at: 'value', path: ['MODE'] })
  expect(at('{ "KEYWORDS": ["a", | ] }')).toEqual({ at: 'value', path: ['KEYWORDS', 1] })
  expect(at('{ "A": 1 | }')).toBeUndefined()
})

test('keys and values come from the schema of the file', () => {
  expect(keysAt([]).map(({ label }) => label)).toContain('TRUST_TREE')
  expect(keysAt(['LIMITS', 'TOTAL']).map(({ label }) => label)).toContain('MEMORY')
  expect(keysAt(['TRUST_TREE', 'ROOTS', 'someone']).map(({ label }) => label)).toEqual(['DEPTH'])
  expect(valuesAt(['DOCKER_CONFIGS', 'protocol']).map(({ label }) => label)).toEqual(['"http"', '"https"'])
})

test('a difference is the lines that changed, and those around them', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].join('\n')
  const after = ['a', 'b', 'c', 'd', 'e', 'F', 'g', 'h', 'i'].join('\n')
  const parts = changedParts(diffLines(before, after))
  expect(parts.map((line) => (line === undefined ? '...' : `${line.kind} ${line.text}`))).toEqual([
    '...',
    'same d',
    'same e',
    'removed f',
    'added F',
    'same g',
    'same h',
    'added i',
  ])
})
