import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostExecutor } from '../../fixtures/execution/executors.ts'
import { MIB, makeRunDirs, planFor, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

/** A host whose folder of that name is a small disk of its own. */
async function smallDisk(name: 'runs' | 'code') {
  const dirs = await makeRunDirs()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dirs[name]])
  onTestFinished(async () => {
    execFileSync('umount', [dirs[name]])
    await dirs[Symbol.asyncDispose]()
  })
  return { dirs, executor: hostExecutor(dirs) }
}

const NODE_DISK_FULL = { detail: 'the disk of the node is full', nodeDiskFull: true }
const needed = needs('root') && needs('bubblewrap')

test.skipIf(!needed)('a build whose output does not fit on the disk of the node is not blamed for it', async () => {
  const { dirs, executor } = await smallDisk('code')
  const script = `require('fs').writeFileSync('made', Buffer.alloc(6 << 20, 1))`
  const plan = await planFor(executor, dirs, script, { purpose: 'build', grant: { diskBytes: 16 * MIB } })
  await chmod(plan.codeDir as string, 0o777)
  expect((await runToEnd(executor, plan)).end).toMatchObject({ exitCode: 1, ...NODE_DISK_FULL })
})

test.skipIf(!needed)('a run whose end cannot be written down ended for the disk of the node', async () => {
  const { dirs, executor } = await smallDisk('runs')
  const plan = await planFor(executor, dirs, 'setInterval(() => {}, 1000)')
  const run = await executor.start(plan)
  const filler = join(dirs.runs, 'filler')
  expect(readdirSync(dirs.runs)).not.toEqual([])
  expect(() => writeFileSync(filler, Buffer.alloc(8 * MIB))).toThrow('ENOSPC')
  await run.stop({ graceMs: 0 })
  expect(await run.wait()).toMatchObject({ exitCode: 137, ...NODE_DISK_FULL })
  rmSync(filler)
  await executor.remove(run.handle)
})
