import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as format from '../../../src/base/format.ts'
import { forAll } from '../../fixtures/property.ts'

const { closestMatch, formatBytes, formatMs, joinWords, parseBytes, parseSeconds, sanitizeText, truncateUtf8 } = format

it('text from the network: loses what could move a cursor, hide or turn around, and what is too long', () => {
  expect(sanitizeText('a\u001b[31mb\nc\r\u0085\u202ed\u200be\ufeff')).toBe(
    'a\ufffd[31mb\ufffdc\ufffd\ufffd\ufffdd\ufffde\ufffd',
  )
  expect(sanitizeText('äöü 漢字 🙂')).toBe('äöü 漢字 🙂')
  expect(sanitizeText('x'.repeat(300))).toBe(`${'x'.repeat(197)}...`)
  forAll(100, [fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 4, max: 250 })], (text, max) => {
    expect(sanitizeText(text, max).length).toBeLessThanOrEqual(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(sanitizeText(text, max)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  })
})

it('text with a bound in bytes: is cut between characters, never above the bound', () => {
  expect(truncateUtf8('short', 5)).toBe('short')
  expect(truncateUtf8('ääää', 7)).toBe('ää...')
  forAll(100, [fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 3, max: 80 })], (text, max) => {
    const clipped = truncateUtf8(text, max)
    expect(Buffer.byteLength(clipped)).toBeLessThanOrEqual(max)
    expect(clipped.isWellFormed()).toBe(true)
  })
})

it.each([
  ['0', 0],
  ['512', 512],
  ['512MiB', 512 * 1024 ** 2],
  ['1.5 GiB', 1.5 * 1024 ** 3],
  ['64m', 64 * 1024 ** 2],
  ['1kB', 1000],
  ['1MB', 1_000_000],
  ['2TiB', 2 * 1024 ** 4],
  [' 5 B ', 5],
])('sizes: %j is %i bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})

it.each(['', 'MiB', '-1', '1.MiB', '1e3', '5 apples', '0x10', '1,5GiB'])('sizes: %j is no size', (text) => {
  expect(parseBytes(text)).toBeUndefined()
})

it('sizes: are written so that they can be read again', () => {
  const sizes = [0, 1023, 1536, 1024 ** 2, 5 * 1024 ** 3].map(formatBytes)
  expect(sizes).toEqual(['0 B', '1023 B', '1.5 KiB', '1 MiB', '5 GiB'])
  forAll(100, [fc.integer({ min: 0, max: 2 ** 45 })], (bytes) => {
    const back = parseBytes(formatBytes(bytes)) as number
    expect(Math.abs(back - bytes)).toBeLessThanOrEqual(bytes * 0.05)
  })
})

it.each([
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['24h', 86_400],
  ['7d', 604_800],
  [' 2 h ', 7200],
])('times: %j is %i seconds', (text, seconds) => {
  expect(parseSeconds(text)).toBe(seconds)
})

it.each(['', '1.5h', '-1', '2w', 'h', '1h30m'])('times: %j is no time', (text) => {
  expect(parseSeconds(text)).toBeUndefined()
})

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1500, '1.5 s'],
  [95_000, '1m 35s'],
  [7_500_000, '2h 5m'],
  [86_400_000 * 3 + 3_600_000, '3d 1h'],
])('times: %i ms are %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text)
})

it('times: never show sixty of anything', () => {
  for (const ms of [999.6, 59_960, 59_999, 119_600, 119_999, 3_599_999])
    expect(formatMs(ms)).not.toMatch(/\b60|1000 ms/)
})

it('words: that are near are found, whatever their case', () => {
  expect(closestMatch('KEYWORD', ['KEYWORDS', 'NETCAP'])).toBe('KEYWORDS')
  expect(closestMatch('listne', ['LISTEN', 'LIMITS'])).toBe('LISTEN')
  expect(closestMatch('REDIRECT_DEPTH', ['REDIRECT', 'REDIRECTION_DEPTH'])).toBe('REDIRECTION_DEPTH')
  for (const words of [['LISTEN', 'NETCAP'], []]) expect(closestMatch('BANANA', words)).toBeUndefined()
})

it('words: are listed as people do', () => {
  const listed = [[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((words) => joinWords(words))
  expect(listed).toEqual(['', 'a', 'a and b', 'a, b and c'])
  expect(joinWords(['a', 'b'], 'or')).toBe('a or b')
})
