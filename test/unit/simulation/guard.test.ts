import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('what the machine completes throws in a simulation, and names the call', () => {
  const fixture = new URL('../../fixtures/simulation-guard.ts', import.meta.url).pathname
  const text = execFileSync(process.execPath, ['--conditions=thundercloud-source', fixture], { encoding: 'utf8' })
  const answers = Object.entries(JSON.parse(text) as Record<string, string>)
  expect(answers.length).toBeGreaterThan(10)
  for (const [call, message] of answers) {
    expect(message).toBe(
      `a simulation cannot call ${call}: the machine decides when that ends; hand in a simulated part instead`,
    )
  }
})
