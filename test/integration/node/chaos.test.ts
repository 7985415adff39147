import { describe, expect, test } from 'vitest'
import { runChaos } from '../../../scripts/chaos/run-chaos.ts'
import { needs } from '../../require.ts'

/** The script does 200; a quarter of an hour bounds it, so a busy machine does fewer. */
describe.each([
  ['host', 'bubblewrap', 14],
  ['docker', 'engine', 6],
] as const)('on %s', (executor, need, kills) => {
  test.skipIf(!needs(need))(
    `a node that is killed ${kills} times keeps what it acknowledged, and leaves nothing`,
    async () => {
      const report = await runChaos({ seed: 'test', kills, executor, maxMs: 240_000 })
      expect(report.problems).toEqual([])
      expect(report.acknowledged.services).toBeGreaterThan(0)
    },
    600_000,
  )
})
