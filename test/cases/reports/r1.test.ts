import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import { createLightPeer } from '../../../src/node/index.ts'
import { openPair, type Pair, until, viewOf } from '../../fixtures/program/pair.ts'
import { needs } from '../../require.ts'

const reasonsOf = (view: Awaited<ReturnType<typeof viewOf>>) => view.receipts[0]?.reasons ?? []
const saying = (view: Awaited<ReturnType<typeof viewOf>>, rule: string) =>
  reasonsOf(view).filter((reason) => reason.rule === rule)

describe.skipIf(!needs('bubblewrap'))(
  'R1: a service is healthy, or its author learns why it is not',
  { timeout: 180_000 },
  () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await openPair()
    }, 120_000)
    afterAll(() => pair?.[Symbol.asyncDispose](), 60_000)

    it('a service that ends at once is never said to run: --wait fails with its exit code and last lines', async () => {
      await pair.write('crash', 'console.log("about to fail"); console.error("secret of the author"); process.exit(7)')
      const published = await pair.at(['publish', `${pair.root}/crash`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(4)
      expect(published.values.at(-1)).toMatchObject({ event: 'failed', outcome: 'failed', exitCode: 4, nodes: 0 })
      expect(published.stderr).toMatch(/starts it again: exit code 7/)
      expect(published.values.some(({ state }) => state === 'running')).toBe(false)

      const view = await until(async () => {
        const now = await viewOf(pair, 'crash')
        // while it is started again nothing is waited for
        return saying(now, 'run:restart')[0]?.message.includes(':') && now
      }, 'it waits for its next start')
      expect(view.receipts).toMatchObject([{ peerId: pair.worker.peerId, state: 'accepted' }])
      expect(saying(view, 'run:exit')).toMatchObject([{ outcome: 'fail', message: 'exit code 7' }])
      expect(saying(view, 'run:restart')[0]?.message).toMatch(/^restart \d+: it failed; again in /)
      expect(saying(view, 'run:output').map(({ message }) => message)).toEqual(
        expect.arrayContaining(['about to fail', 'secret of the author']),
      )
      const there = await viewOf(pair, 'crash', 'atWorker')
      expect(there).toMatchObject({ state: 'accepted', run: { healthy: false, exitCode: 7 } })

      // the public status says how it ended, and nothing that it wrote
      await using stranger = await createLightPeer(
        { clock: systemClock(), rng: systemRng(), log: silentLog() },
        { network: 'test', join: pair.worker.multiaddrs },
      )
      const answers: string[] = []
      for await (const { body } of stranger.ask(parseCid(view.id), { signal: AbortSignal.timeout(45_000) })) {
        if (body.reasons.some(({ rule }) => rule === 'run:exit')) answers.push(JSON.stringify(body.reasons))
        if (answers.length > 0) break
      }
      expect(answers[0]).toContain('exit code 7')
      expect(answers[0]).not.toContain('run:output')
      expect(answers[0]).not.toContain('secret')
      await pair.at(['stop', 'crash'])
    })

    it('one that stays up is healthy after LIMITS.HEALTHY_SECONDS, and a later failure is told', async () => {
      await pair.write(
        'later',
        `const fs = require('fs')
      if (fs.existsSync('/work/again')) setInterval(() => {}, 1000)
      else { fs.writeFileSync('/work/again', ''); setTimeout(() => { console.log('the end'); process.exit(9) }, 8000) }`,
      )
      const published = await pair.at(['publish', `${pair.root}/later`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(0)
      expect(published.values.at(-1)).toMatchObject({ event: 'running', outcome: 'healthy', exitCode: 0, nodes: 1 })
      const states = published.values.filter(({ event }) => event === 'receipt').map(({ state }) => state)
      expect(states.at(-1)).toBe('running')
      expect(states.slice(0, -1)).not.toContain('running')
      const failed = await until(async () => {
        const view = await viewOf(pair, 'later')
        return saying(view, 'run:exit').length > 0 && saying(view, 'run:output').length > 0 && view
      }, 'the failure reaches the publisher, with its last lines')
      expect(saying(failed, 'run:exit')[0]?.message).toBe('exit code 9')
      expect(saying(failed, 'run:output').map(({ message }) => message)).toContain('the end')
      await pair.at(['stop', 'later'])
    })

    it('one that listens on another port than it declares is not healthy: the time is up, and what it waits for is said', async () => {
      await pair.write('port', 'require("net").createServer().listen(9999, "127.0.0.1")', {
        run: { ports: [{ name: 'http', port: 8080 }] },
      })
      const published = await pair.at(['publish', `${pair.root}/port`, '--wait', '--timeout', '8s'])
      expect(published.code, published.stderr).toBe(5)
      expect(published.values.at(-1)).toMatchObject({ event: 'unknown', outcome: 'unknown', exitCode: 5 })
      expect(published.stderr).toMatch(/accepts connections on its port \\"http\\" \(8080\)/)
      await pair.at(['stop', 'port'])
    })

    it('what every node refuses ends --wait with 3', async () => {
      await pair.write('large', 'setInterval(() => {}, 1000)', {
        resources: { memory: '900MiB', disk: '8MiB', cpu: '0.5', pids: 32 },
      })
      const published = await pair.at(['publish', `${pair.root}/large`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(3)
      expect(published.values.at(-1)).toMatchObject({ event: 'refused', outcome: 'refused', exitCode: 3, nodes: 0 })
      expect(published.stderr).toMatch(/256 MiB/)
    })
  },
)
