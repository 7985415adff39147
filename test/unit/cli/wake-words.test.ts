import { expect, test } from 'vitest'
import type { WakeCondition } from '../../../src/base/verdict.ts'
import { parkedText, wakeText } from '../../../src/cli/output/format-verdict.ts'

test('every condition has words for people, and none lets text from the network through as it is', () => {
  const conditions: WakeCondition[] = [
    { on: 'capacity' },
    { on: 'policy' },
    { on: 'quorum', code: 'c' },
    { on: 'freeze', chain: 'btc\u001b[2J' },
    { on: 'delegation', author: 'a' },
    { on: 'replica' },
  ]
  const words = conditions.map((condition) => wakeText([condition]))
  expect(new Set(words).size).toBe(conditions.length)
  expect(words.join()).not.toContain('\u001b')
  expect(
    wakeText([
      { on: 'quorum', code: 'c' },
      { on: 'delegation', author: 'a' },
    ]),
  ).toBe('enough hubs call the code safe or a root of the trust tree vouches for the author')
  expect(parkedText({ since: 0, until: 3600, on: [{ on: 'delegation', author: 'a' }] }, 0)).toBe(
    'until a root of the trust tree vouches for the author, for 1h 0m at most',
  )
})
