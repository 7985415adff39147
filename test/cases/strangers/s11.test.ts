import { chmod, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Executor } from '../../../src/execution/index.ts'
import { EMPTY_FILES, HOLES, SILENT, UNLINKED } from '../../fixtures/code/hostile-builds.ts'
import { EXECUTORS } from '../../fixtures/execution/executors.ts'
import { MIB, makeRunDirs, planFor, type RunDirs, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { needs } from '../../require.ts'

describe.each(EXECUTORS.filter(({ need }) => needs(need)))(
  'S11: a build writes where the kernel holds bytes and files ($name)',
  ({ name, create }) => {
    let dirs: RunDirs & AsyncDisposable
    let executor: Executor
    beforeAll(async () => {
      dirs = await makeRunDirs()
      executor = create(dirs, { nodeId: `s11-${name}-${process.pid}` })
    })
    afterAll(() => dirs[Symbol.asyncDispose]())

    const build = async (script: string, memoryBytes: number) => {
      const grant = { diskBytes: 8 * MIB, memoryBytes }
      const plan = await planFor(executor, dirs, script, { purpose: 'build', grant })
      // as the supervisor hands it over
      await chmod(plan.codeDir as string, 0o777)
      return { plan, ...(await runToEnd(executor, plan)) }
    }
    const tooMuch = {
      exitCode: 1,
      detail: `the build wrote more than the ${8 * MIB} bytes or 16384 files of disk that were granted`,
    }

    it('a file that it has unlinked counts', async () => {
      const { end, out } = await build(UNLINKED, 192 * MIB)
      expect(end).toMatchObject(tooMuch)
      expect(Number(out.at(-1))).toBeLessThan(9)
    })

    it('so do files without a byte', async () => {
      const free = async () => (await statfs(dirs.base)).ffree
      const before = await free()
      expect((await build(EMPTY_FILES, 192 * MIB)).end).toMatchObject(tooMuch)
      // other tests write beside this one
      expect(before - (await free())).toBeLessThan(10_000)
    })

    it('a file of holes, and what it does not speak of', async () => {
      for (const script of [HOLES, SILENT]) expect((await build(script, 192 * MIB)).end).toMatchObject(tooMuch)
    })

    it('what it may write is there afterwards, with links and modes', async () => {
      const script = `const fs = require('fs'); fs.mkdirSync('out'); fs.writeFileSync('out/a', 'made', { mode: 0o755 })
      fs.symlinkSync('a', 'out/b'); fs.rmSync('below', { recursive: true })`
      const { end, plan } = await build(script, 192 * MIB)
      expect(end).toMatchObject({ exitCode: 0 })
      expect(await readFile(join(plan.codeDir as string, 'out/b'), 'utf8')).toBe('made')
      await expect(readFile(join(plan.codeDir as string, 'below/here.txt'))).rejects.toThrow('ENOENT')
    })

    it.skipIf(!needs('root'))('holds on a disk as it does in memory', async () => {
      const grant = { diskBytes: 128 * MIB, memoryBytes: 128 * MIB }
      const script = `const fs = require('fs'); console.log(fs.statfsSync('.').type.toString(16))
      fs.writeFileSync('large', Buffer.alloc(100 << 20)); fs.writeFileSync('larger', Buffer.alloc(60 << 20))`
      const plan = await planFor(executor, dirs, script, { purpose: 'build', grant })
      const { end, out } = await runToEnd(executor, plan)
      // ext4, unless this machine has no loop device
      expect(['ef53', '1021994']).toContain(out[0])
      expect(end.exitCode).not.toBe(0)
      if (out[0] === 'ef53') expect(end.detail).toMatch(/^the build wrote more than the 134217728 bytes/)
    })
  },
)
