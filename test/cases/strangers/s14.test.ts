import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../../../src/execution/index.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import {
  linesOf,
  MIB,
  makeRunDirs,
  planFor,
  type RunDirs,
  runToEnd,
  until,
} from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

describe.each(EXECUTORS)('S14: a flood of log lines ($name)', ({ create, need, name }) => {
  let dirs: RunDirs & AsyncDisposable
  beforeAll(async () => {
    dirs = await makeRunDirs()
  })
  afterAll(() => dirs[Symbol.asyncDispose]())

  const flood = (ms: number, chunk: string) => `const fs = require('fs'), until = Date.now() + ${ms}
    while (Date.now() < until) fs.writeSync(1, ${chunk})
    fs.writeSync(1, 'the end\\n')`

  it.skipIf(!needs(need))('keeps no more than the disk of its grant', { timeout: 120_000 }, async () => {
    const executor = create(dirs, { nodeId: `s14-${name}-${process.pid}` })
    for (const [chunk, diskBytes] of [
      [`'x'.repeat(199).concat('\\n').repeat(300)`, 2 * MIB],
      [`'x\\n'.repeat(30_000)`, 16 * 1024],
    ] as const) {
      const plan = await planFor(executor, dirs, flood(3000, chunk), { grant: { diskBytes } })
      const { out, node } = await runToEnd(executor, plan)
      expect(out.at(-1)).toBe('the end')
      expect(node).toEqual([expect.stringMatching(/bytes before this are no longer kept$/)])
      expect(await bytesBelow(plan.logDir)).toBeLessThanOrEqual(Math.max(MIB, diskBytes))
    }
  })

  it.skipIf(!needs(need))('of very short lines has its end', { timeout: 120_000 }, async () => {
    const executor = create(dirs, { nodeId: `s14-${name}-${process.pid}` })
    const { out } = await runToEnd(executor, await planFor(executor, dirs, flood(8000, `'x\\n'.repeat(30_000)`)))
    expect(out.at(-1)).toBe('the end')
  })
})

describe.skipIf(!needs('engine'))('S14: a log of a container whose node was away', () => {
  let dirs: RunDirs & AsyncDisposable
  beforeAll(async () => {
    dirs = await makeRunDirs()
  })
  afterAll(() => dirs[Symbol.asyncDispose]())
  const nodeId = `s14-away-${process.pid}`
  const executorOf = () => EXECUTORS[0].create(dirs, { nodeId })
  const adopted = async (runId: string) => {
    const found = (await executorOf().adopt()).find((one) => one.runId === runId)
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

  it('says which stretch the engine no longer has', { timeout: 120_000 }, async () => {
    const script = `const fs = require('fs')
      for (let n = 1; n < 4; n++) fs.writeSync(1, 'before ' + n + '\\n')
      require('net').createServer(() => {
        const lines = n => Array.from({ length: 1000 }, (_, m) => (n * 1000 + m) + ' ' + 'x'.repeat(80) + '\\n').join('')
        for (let n = 0; n < 150; n++) fs.writeSync(1, lines(n))
        fs.writeSync(1, 'last'); fs.writeSync(2, 'the end'); process.exit(0)
      }).listen(4000, '127.0.0.1')`
    const executor = executorOf()
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

  it('has each line once, whatever node has read it', { timeout: 120_000 }, async () => {
    const script = `let n = 0; const timer = setInterval(() => {
        console.log(n); console.error(n); process.stdout.write('same\\n')
        if (++n === 600) clearInterval(timer)
      }, 5)`
    const executor = executorOf()
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
