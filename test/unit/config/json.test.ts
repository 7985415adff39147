import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/config/json.ts'

describe('JSON as people write it', () => {
  it('means what JSON.parse says, for every JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 2, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text)
        if (text.includes('__proto__')) return
        expect(parseJson(JSON.stringify(value, null, indent))).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:0-1.e\\tfalsn u'), maxLength: 12 }), (text) => {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        if (valid) expect(parseJson(text)).toEqual(JSON.parse(text))
        else expect(() => parseJson(text)).toThrow(/^line 1, column \d+: /)
      }),
      { numRuns: 2000 },
    )
  })

  it('skips comments, but not inside texts', () => {
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
  ])('%j: %s', (text, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ message }))
  })

  it('takes texts, spaces and comments of a mebibyte', () => {
    const long = 'x'.repeat(1024 * 1024)
    expect(parseJson(JSON.stringify(long))).toBe(long)
    expect(parseJson(`${' \n'.repeat(500_000)}1`)).toBe(1)
    expect(parseJson(`${'// x\n'.repeat(200_000)}1`)).toBe(1)
    expect(parseJson(`${'/**/'.repeat(200_000)}1`)).toBe(1)
    expect(parseJson(JSON.stringify('"'.repeat(500_000)))).toBe('"'.repeat(500_000))
    expect(() => parseJson(`"${long}`)).toThrow('never closed')
  })
})
