import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run } from '../../../src/execution/index.ts'
import { dockerExecutor, EXECUTORS } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { linesOf, MIB, planFor, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

const cutAt = (bytes: string) => [expect.stringMatching(new RegExp(`^${bytes} bytes before this are no longer kept$`))]

describe.each(EXECUTORS)('on $name', ({ create, need }) => {
  const dirs = runDirs()
  const flood = (ms: number, chunk: string) => `const fs = require('fs'), until = Date.now() + ${ms}
    while (Date.now() < until) fs.writeSync(1, ${chunk})
    fs.writeSync(1, 'the end\\n')`

  it.skipIf(!needs(need)).each([
    [`'x'.repeat(199).concat('\\n').repeat(300)`, 2 * MIB],
    [`'x\\n'.repeat(30_000)`, 16 * 1024],
  ])('S14: a flood of log lines (%s) keeps no more than the disk of its grant', async (chunk, diskBytes) => {
    const executor = create(dirs)
    const plan = await planFor(executor, dirs, flood(3000, chunk), { grant: { diskBytes } })
    const { out, node } = await runToEnd(executor, plan)
    expect(out.at(-1)).toBe('the end')
    expect(node).toEqual(cutAt('\\d+'))
    expect(await bytesBelow(plan.logDir)).toBeLessThanOrEqual(Math.max(MIB, diskBytes))
  })

  it.skipIf(!needs(need))('S14: a flood of very short lines has its end', async () => {
    const executor = create(dirs)
    const { out } = await runToEnd(executor, await planFor(executor, dirs, flood(8000, `'x\\n'.repeat(30_000)`)))
    expect(out.at(-1)).toBe('the end')
  })

  it.skipIf(!needs(need))(
    'R4: a task writes more than its log keeps: its end is there, and what is not is said',
    async () => {
      const executor = create(dirs, { logs: { maxBytes: MIB, keep: 2 } })
      const script = `const fs = require('fs'), line = 'x'.repeat(199) + '\\n'
      for (let n = 0; n < 80; n++) fs.writeSync(1, line.repeat(1000))
      fs.writeSync(1, 'y'.repeat(10_000) + '\\nthe end')`
      const { end, out, node } = await runToEnd(executor, await planFor(executor, dirs, script))
      expect(end).toMatchObject({ exitCode: 0 })
      expect(out.at(-1)).toBe('the end')
      expect(out.at(-3)).toMatch(/^y+\u2026$/)
      expect(node).toEqual(cutAt('\\d{7,}'))
    },
  )

  it.skipIf(!needs(need))('R4: of very short lines none is missing that fits its log', async () => {
    const executor = create(dirs)
    // half a megabyte that costs an engine twenty, of which it keeps eight
    const script = `const fs = require('fs')
      fs.writeSync(1, 'x\\n'.repeat(250_000) + 'last'); fs.writeSync(2, 'the end')`
    const { out, err, node } = await runToEnd(executor, await planFor(executor, dirs, script))
    expect([out.length, out.at(-1), err, node]).toEqual([250_001, 'last', ['the end'], []])
  })
})

describe.skipIf(!needs('engine'))('S14: a log of a container whose node was away', () => {
  const dirs = runDirs()
  const adopted = async (runId: string) => {
    const found = (await dockerExecutor(dirs).adopt()).find((one) => one.runId === runId)
    if (found === undefined) throw new Error('it is not found again')
    return found
  }

  /** Reads along until `enough`, and goes as a node goes that is killed. */
  async function follow(run: Run, logDir: string, enough: (lines: string[]) => boolean): Promise<void> {
    const gone = new AbortController()
    const waiting = run.wait({ signal: gone.signal }).catch(() => {})
    await until(async () => enough((await linesOf(logDir)).out))
    gone.abort()
    await waiting
  }

  it('says which stretch the engine no longer has', async () => {
    const script = `const fs = require('fs')
      for (let n = 1; n < 4; n++) fs.writeSync(1, 'before ' + n + '\\n')
      require('net').createServer(() => {
        const lines = n => Array.from({ length: 1000 }, (_, m) => (n * 1000 + m) + ' ' + 'x'.repeat(80) + '\\n').join('')
        for (let n = 0; n < 150; n++) fs.writeSync(1, lines(n))
        fs.writeSync(1, 'last'); fs.writeSync(2, 'the end'); process.exit(0)
      }).listen(4000, '127.0.0.1')`
    const executor = dockerExecutor(dirs)
    const plan = await planFor(executor, dirs, script, { ports: [4000] })
    const run = await executor.start(plan)
    await follow(run, plan.logDir, (lines) => lines.includes('before 3'))
    await run.connect(4000)
    await until(async () => (await adopted(plan.runId)).state === 'ended', 60_000)
    const { run: again } = await adopted(plan.runId)
    expect(await again.wait()).toMatchObject({ exitCode: 0 })
    const { out, err, node } = await linesOf(plan.logDir)
    await executor.remove(run.handle)
    expect(node).toEqual([expect.stringMatching(/^output between [\dT:.-]+Z and [\dT:.-]+Z is missing: the engine/)])
    expect([out.slice(0, 3), out.at(-1), err]).toEqual([['before 1', 'before 2', 'before 3'], 'last', ['the end']])
    const kept = out.slice(3, -1).map((line) => Number(line.split(' ')[0]))
    expect(kept.length).toBeGreaterThan(10_000)
    expect(kept).toEqual(kept.map((_, n) => 150_000 - kept.length + n))
  })

  it('has each line once, whatever node has read it', async () => {
    const script = `let n = 0; const timer = setInterval(() => {
        console.log(n); console.error(n); process.stdout.write('same\\n')
        if (++n === 600) clearInterval(timer)
      }, 5)`
    const executor = dockerExecutor(dirs)
    const plan = await planFor(executor, dirs, script)
    const run = await executor.start(plan)
    await follow(run, plan.logDir, (lines) => lines.length > 100)
    for (const count of [300, 500])
      await follow((await adopted(plan.runId)).run, plan.logDir, (lines) => lines.length > count)
    await (await adopted(plan.runId)).run.wait()
    const { out, err, node } = await linesOf(plan.logDir)
    await executor.remove(run.handle)
    const numbers = Array.from({ length: 600 }, (_, n) => `${n}`)
    expect(err).toEqual(numbers)
    expect(out).toEqual(numbers.flatMap((number) => [number, 'same']))
    expect(node).toEqual([])
  })
})

async function bytesBelow(dir: string): Promise<number> {
  const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size))
  return sizes.reduce((a, b) => a + b, 0)
}
