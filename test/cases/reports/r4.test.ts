import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import { MIB, makeRunDirs, planFor, type RunDirs, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

describe.each(EXECUTORS)('R4: a task writes more than its log keeps, and ends ($name)', ({ create, need, name }) => {
  let dirs: RunDirs & AsyncDisposable
  beforeAll(async () => {
    dirs = await makeRunDirs()
  })
  afterAll(() => dirs[Symbol.asyncDispose]())

  it.skipIf(!needs(need))('its end is there, and what is not there is said', { timeout: 180_000 }, async () => {
    const executor = create(dirs, { nodeId: `r4-${name}-${process.pid}`, logs: { maxBytes: MIB, keep: 2 } })
    const script = `const fs = require('fs'), line = 'x'.repeat(199) + '\\n'
      for (let n = 0; n < 80; n++) fs.writeSync(1, line.repeat(1000))
      fs.writeSync(1, 'y'.repeat(10_000) + '\\nthe end')`
    const { end, out, node } = await runToEnd(executor, await planFor(executor, dirs, script))
    expect(end).toMatchObject({ exitCode: 0 })
    expect(out.at(-1)).toBe('the end')
    expect(out.at(-3)).toMatch(/^y+\u2026$/)
    expect(node).toEqual([expect.stringMatching(/^\d{7,} bytes before this are no longer kept$/)])
  })

  it.skipIf(!needs(need))(
    'of very short lines none is missing that its log has room for',
    { timeout: 180_000 },
    async () => {
      const executor = create(dirs, { nodeId: `r4-${name}-${process.pid}` })
      // half a megabyte that costs an engine twenty, of which it keeps eight
      const script = `const fs = require('fs')
      fs.writeSync(1, 'x\\n'.repeat(250_000) + 'last'); fs.writeSync(2, 'the end')`
      const { out, err, node } = await runToEnd(executor, await planFor(executor, dirs, script))
      expect([out.length, out.at(-1), err, node]).toEqual([250_001, 'last', ['the end'], []])
    },
  )
})
