import { describe, expect } from 'vitest'
import { linesOf, makeRunDirs, runToEnd, talk, until } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

/** Ends that are asked for, and nodes that are killed. */
export function describeLife({ it, create, dirs, executor, nodeId, plan }: KitContext): void {
  /** Runs a script that says that it is ready, and then stops it. */
  const stopped = async (script: string, graceMs: number) => {
    const ready = await plan(`${script}; setInterval(() => {}, 1000); console.log('ready')`)
    return await runToEnd(executor(), ready, async (run) => {
      const ended = run.wait()
      await until(async () => (await linesOf(ready.logDir)).out.includes('ready'))
      await run.stop({ graceMs })
      await ended
    })
  }

  describe('stopping', () => {
    it('asks first: a service may say goodbye', async () => {
      const goodbye = `process.on('SIGTERM', () => { console.log('goodbye'); process.exit(0) })`
      const { end, out } = await stopped(goodbye, 10_000)
      expect(end).toMatchObject({ exitCode: 0, reason: 'stopped' })
      expect(out).toContain('goodbye')
    })

    it('then kills, children included', async () => {
      const stubborn = `process.on('SIGTERM', () => console.log('no')); require('child_process').spawn('sleep', ['300'], { detached: true })`
      const before = Date.now()
      const { end } = await stopped(stubborn, 1000)
      expect(end).toMatchObject({ exitCode: 137, reason: 'stopped' })
      expect(Date.now() - before).toBeLessThan(15_000)
    })

    it('says when the time was over', async () => {
      const forever = await plan('setInterval(() => {}, 1000)')
      const { end } = await runToEnd(executor(), forever, (run) => run.stop({ graceMs: 0, reason: 'timeout' }))
      expect(end).toMatchObject({ reason: 'timeout' })
    })
  })

  describe('a node that was killed', () => {
    it('finds what runs, with its gateway, its output and its end', async () => {
      const script = `require('net').createServer(s => s.on('error', () => {}).end('still here')).listen(4000, '127.0.0.1'); console.log('before')
        process.on('SIGTERM', () => { console.log('after'); process.exit(3) })`
      const left = await plan(script, { ports: [4000] })
      await executor().start(left)
      await until(async () =>
        (await create(dirs(), nodeId).adopt()).some((run) => run.runId === left.runId && run.state === 'running'),
      )

      const next = create(dirs(), nodeId)
      const found = (await next.adopt()).filter((run) => run.runId === left.runId)
      expect(found).toMatchObject([{ service: left.service, purpose: 'run', state: 'running' }])
      const run = found[0]?.run
      if (run === undefined) throw new Error('not found')
      const ended = run.wait()
      expect(await talk(await run.connect(4000), '')).toBe('still here')
      await run.stop({ graceMs: 10_000 })
      expect(await ended).toMatchObject({ exitCode: 3, reason: 'stopped' })
      expect((await linesOf(left.logDir)).out).toEqual(['before', 'after'])
      await next.remove(run.handle)
      expect((await next.adopt()).filter((other) => other.runId === left.runId)).toEqual([])
    })

    it('learns how a run ended while it was away', async () => {
      const left = await plan(`console.log('last words'); process.exitCode = 5`)
      await executor().start(left)
      const next = create(dirs(), nodeId)
      const run = await until(async () =>
        (await next.adopt()).find((found) => found.runId === left.runId && found.state === 'ended'),
      )
      expect(await run.run.wait()).toMatchObject({ exitCode: 5, reason: 'exit' })
      expect((await linesOf(left.logDir)).out).toEqual(['last words'])
      await next.remove(run.run.handle)
    })

    it('takes no run for one that had too long, which ended before, when its time is over meanwhile', async () => {
      const left = await plan('', { lifetime: { afterMs: 600_000, graceMs: 0 } })
      await executor().start(left)
      const next = create(dirs(), nodeId)
      const { run } = await until(async () =>
        (await next.adopt()).find((found) => found.runId === left.runId && found.state === 'ended'),
      )
      await run.stop({ graceMs: 0, reason: 'timeout' })
      expect(await run.wait()).toMatchObject({ exitCode: 0, reason: 'exit' })
      await next.remove(run.handle)
    })

    it('does not touch what another node runs', async () => {
      const mine = await plan('setInterval(() => {}, 1000)')
      const run = await executor().start(mine)
      await using others = await makeRunDirs()
      expect(await create(others, `${nodeId}-other`).adopt()).toEqual([])
      await run.stop({ graceMs: 0 })
      await run.wait()
      await executor().remove(run.handle)
    })

    it('removes twice what is there once', async () => {
      const run = await executor().start(await plan('setInterval(() => {}, 1000)'))
      await executor().remove(run.handle)
      await executor().remove(run.handle)
      expect(await executor().adopt()).toEqual([])
    })
  })
}
