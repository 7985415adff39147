import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPair, type Pair, viewOf } from '../../fixtures/program/pair.ts'
import { needs } from '../../require.ts'

const saying = (view: Awaited<ReturnType<typeof viewOf>>, rule: string) =>
  view.receipts.flatMap(({ reasons }) => reasons).filter((reason) => reason.rule === rule)

describe.skipIf(!needs('bubblewrap'))(
  'R5: --wait ends when no answer can change any more, and says why',
  { timeout: 180_000 },
  () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await openPair()
    }, 120_000)
    afterAll(() => pair?.[Symbol.asyncDispose](), 60_000)

    it('a task that fails ends --wait at once, with its code and last lines', async () => {
      await pair.write('task', 'console.log("no such table"); process.exit(3)', { run: { kind: 'task' } })
      const published = await pair.at(['publish', `${pair.root}/task`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(4)
      expect(published.stderr).toMatch(/failed: exit code 3; it wrote .*no such table/)
      const view = await viewOf(pair, 'task')
      expect(view.receipts).toMatchObject([{ state: 'failed' }])
      expect(saying(view, 'run:exit')[0]?.message).toBe('exit code 3')
    })

    it('a task that ends well is done', async () => {
      await pair.write('well', 'console.log("42")', { run: { kind: 'task' } })
      const published = await pair.at(['publish', `${pair.root}/well`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(0)
      expect((await viewOf(pair, 'well')).receipts).toMatchObject([{ state: 'done' }])
    })

    it('a run that had too long says whose limit it was, and how long (R6)', async () => {
      await pair.write('slow', 'setInterval(() => {}, 1000)', { run: { kind: 'task', timeout: '2s' } })
      const published = await pair.at(['publish', `${pair.root}/slow`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(4)
      expect(published.stderr).toMatch(/its time limit of 2s, set by the service \(run\.timeout\), was over/)
    })

    it('status says what is true now: a node that is gone is shown with its last word, and when that was', async () => {
      expect((await viewOf(pair, 'well')).receipts).toMatchObject([{ state: 'done', answered: true }])
      await pair.stop('worker')
      const view = await viewOf(pair, 'well')
      expect(view.receipts).toMatchObject([{ state: 'done', answered: false }])
      await using program = pair.begin(['status', 'well'])
      expect(await program.ended()).toBe(0)
      expect(program.stdout).toMatch(/12D3\w+ {2}has done it \(last said (.+ ago|a moment ago)\)/)
      // what the run wrote is out of reach, and that is said
      const logs = await pair.at(['logs', 'well'])
      expect([logs.code, logs.stderr]).toEqual([
        1,
        expect.stringMatching(/does not answer now; .* it reported: has done it/),
      ])
      await pair.start('worker')
    })
  },
)
