import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPair, type Pair } from '../../fixtures/program/pair.ts'
import { needs } from '../../require.ts'

describe.skipIf(!needs('bubblewrap'))('R3, R7: logs and ports by name, at the publisher', { timeout: 180_000 }, () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await openPair()
  }, 120_000)
  afterAll(() => pair?.[Symbol.asyncDispose](), 60_000)

  it('the author reads what a failed run wrote, and a connection fails at once with the reason', async () => {
    await pair.write('gone', 'console.log("what it wrote"); process.exit(3)', {
      run: { kind: 'task', ports: [{ name: 'http', port: 8080 }] },
    })
    const published = await pair.at(['publish', `${pair.root}/gone`, '--wait', '--timeout', '60s'])
    expect(published.code, published.stderr).toBe(4)
    const logs = await pair.at(['logs', 'gone'])
    expect(logs.code, logs.stderr).toBe(0)
    expect(logs.values.map(({ line }) => line)).toContain('what it wrote')
    const connected = await pair.at(['connect', 'gone'])
    expect(connected.code).toBe(1)
    expect(connected.stderr).toMatch(/no node runs .*gone.* now: .*failed: exit code 3/)
    expect(connected.values.some(({ event }) => event === 'listening')).toBe(false)
  })
})
