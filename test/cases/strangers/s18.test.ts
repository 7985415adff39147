import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { initFolder } from '../../../src/config/index.ts'
import { runProgram } from '../../fixtures/program/process.ts'
import { needs } from '../../require.ts'

const run = promisify(execFile)

describe.skipIf(!needs('root'))("S18: somebody else's folder where the node's sockets would be", () => {
  it('the node does not start in it, and says what to do', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tc-s18-'))
    try {
      await initFolder(join(dir, 'node'))
      const file = join(dir, 'node', 'node.json')
      const runtime = join(dir, 'sockets')
      await mkdir(runtime)
      await chmod(runtime, 0o777)
      await chown(runtime, 1234, 1234)
      const text = (await readFile(file, 'utf8')).replace('{', `{ "RUNTIME": ${JSON.stringify(runtime)},`)
      await writeFile(file, text)
      await using program = runProgram(['start', join(dir, 'node')], {
        env: { HOME: dir, THUNDERCLOUD_LISTEN: '/ip4/127.0.0.1/tcp/0', THUNDERCLOUD_API: '127.0.0.1:0' },
      })
      expect(await program.ended()).toBe(2)
      expect(program.stderr).toContain(`${runtime}, the folder for this node's sockets, belongs to user 1234`)
      expect((await run('ls', ['-A', runtime])).stdout).toBe('')
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})
