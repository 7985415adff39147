import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXECUTORS } from '../fixtures/executors.ts'
import { MIB, makeRunDirs, planFor, type RunDirs, runToEnd } from '../fixtures/run-fixture.ts'
import { needs } from '../require.ts'

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

async function bytesBelow(dir: string): Promise<number> {
  const sizes = await Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size))
  return sizes.reduce((a, b) => a + b, 0)
}
