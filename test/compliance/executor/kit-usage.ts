import { describe, expect, it } from 'vitest'
import type { Run, RunEnd } from '../../../src/execution/index.ts'
import { runToEnd, talk } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

const KIB = 1024
/** How often the slowest executor looks at its runs. */
const LOOK_MS = 3000

/** What a run has used, by what outlives the node. */
export function describeUsage({ create, dirs, executor, nodeId, plan }: KitContext): void {
  const echo = `require('net').createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).pipe(s)).listen(4000, '127.0.0.1')`
  const busy = (ms: number) =>
    `let n = 0; while (process.cpuUsage().user < ${ms * 1000}) for (let i = 0; i < 1e6; i++) n += i;`
  const sentTo = async (run: Run, bytes: number) => {
    const text = 'x'.repeat(bytes)
    expect(await talk(await run.connect(4000), text)).toBe(text)
  }

  describe('what a run has used', () => {
    it('is the bytes of its gateway, both ways, while it runs and at its end', async () => {
      const ready = await plan(echo, { ports: [4000] })
      const { end } = await runToEnd(executor(), ready, async (run) => {
        await sentTo(run, 300 * KIB)
        expect(await run.stats()).toMatchObject({ receivedBytes: 300 * KIB, sentBytes: 300 * KIB })
        await sentTo(run, 200 * KIB)
        await run.stop({ graceMs: 0 })
      })
      expect(end).toMatchObject({ receivedBytes: 500 * KIB, sentBytes: 500 * KIB })
    })

    it('is its time and the time of its processes, children that have ended included', async () => {
      const script = `require('child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(busy(1000))}]); ${busy(1000)} setTimeout(() => {}, ${LOOK_MS + 1500})`
      const ready = await plan(script)
      const began = performance.now()
      const { end } = await runToEnd(executor(), ready)
      const took = performance.now() - began
      const { runningMs = 0, cpuMs = 0 }: RunEnd = end
      expect(runningMs).toBeGreaterThan(3000)
      expect(runningMs).toBeLessThan(took)
      expect(cpuMs).toBeGreaterThanOrEqual(2000)
      expect(cpuMs).toBeLessThan(took)
    })

    it('of one that ends at once is little, and never missing', async () => {
      const { end } = await runToEnd(executor(), await plan(''))
      expect(end).toMatchObject({ receivedBytes: 0, sentBytes: 0 })
      expect(end.runningMs).toBeGreaterThan(0)
      expect(end.runningMs).toBeLessThan(LOOK_MS + 30_000)
    })

    it('is counted on while no node is there, and told to the next one once', async () => {
      const left = await plan(echo, { ports: [4000] })
      const first = await executor().start(left)
      await sentTo(first, 100 * KIB)
      const found = (await create(dirs(), nodeId).adopt()).find(({ runId }) => runId === left.runId)?.run
      if (found === undefined) throw new Error('not found')
      await sentTo(found, 50 * KIB)
      const stats = await found.stats()
      expect(stats).toMatchObject({ receivedBytes: 150 * KIB, sentBytes: 150 * KIB })
      expect(stats.runningMs).toBeGreaterThanOrEqual(0)
      await found.stop({ graceMs: 0 })
      expect(await found.wait()).toMatchObject({ receivedBytes: 150 * KIB, sentBytes: 150 * KIB })
      // and to one that comes after its end
      const later = (await create(dirs(), nodeId).adopt()).find(({ runId }) => runId === left.runId)
      expect(await later?.run.wait()).toMatchObject({ receivedBytes: 150 * KIB, sentBytes: 150 * KIB })
      await executor().remove(first.handle)
    })
  })
}
