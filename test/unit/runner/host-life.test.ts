import { spawn } from 'node:child_process'
import { once as nodeOnce } from 'node:events'
import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { byName, failureOf, isAlive, runnerIn, serviceOf, snapshotOf } from './support.ts'

describe('the host', () => {
  it('stops waiting when the signal says so', async () => {
    await using runner = runnerIn(byName({ never: 'return new Promise(() => {})' }))
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const controller = new AbortController()
    const asked = runner.host.decide(serviceOf({ name: 'never' }), snapshot, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    await expect(runner.host.decide(serviceOf(), snapshot, { signal: controller.signal })).rejects.toThrow('enough')
    expect(await runner.host.decide(serviceOf(), snapshot)).toMatchObject({ redirect: true })
  })

  it('leaves no process behind', async () => {
    let pid: number | undefined
    {
      await using runner = runnerIn(byName({ hang: 'for (;;);' }))
      await runner.host.start()
      pid = runner.host.stats().pid
      expect(isAlive(pid)).toBe(true)
      const hanging = failureOf(runner.host.decide(serviceOf({ name: 'hang' }), snapshotOf(runner.config)))
      await runner.host[Symbol.asyncDispose]()
      expect((await hanging).name).toBe('UnavailableError')
    }
    expect(isAlive(pid)).toBe(false)
  })

  it('takes a hanging runner with it when it is killed itself', async () => {
    const script = `
      import { failureOf, runnerIn, serviceOf, snapshotOf, byName } from ${JSON.stringify(import.meta.resolve('./support.ts'))}
      const runner = runnerIn(byName({ hang: 'for (;;);' }), { limits: { timeoutMs: 60_000 } })
      await runner.host.start()
      const { pid } = runner.host.stats()
      process.stdout.write(JSON.stringify({ pid, root: runner.root }) + '\\n')
      await runner.host.decide(serviceOf({ name: 'hang' }), snapshotOf(runner.config))`
    const flags = ['--conditions=thundercloud-source', '--input-type=module', '--eval', script]
    const parent = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await nodeOnce(parent.stdout, 'data')) as [Buffer]
    const { pid, root } = JSON.parse(line.toString()) as { pid: number; root: string }
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await nodeOnce(parent, 'close')
    await expect.poll(() => isAlive(pid)).toBe(false)
    rmSync(root, { recursive: true })
  })

  it('does not blame a runner for a pause of its own', async () => {
    await using runner = runnerIn(byName({}), { limits: { timeoutMs: 200 } })
    await runner.host.start()
    const asked = Array.from({ length: 20 }, () => runner.host.decide(serviceOf(), snapshotOf(runner.config)))
    await Promise.resolve()
    for (const until = performance.now() + 900; performance.now() < until; );
    await Promise.all(asked)
    // A process that was ended could not answer once more.
    await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(runner.host.stats()).toMatchObject({ decided: 21, died: 0 })
  })
})
