import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const PARTS = ['src', 'protocols', 'configs', 'package.json', 'package-lock.json', 'tsconfig.json']
const execute = promisify(execFile)

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** A copy of the sources, which a patch may change. */
export interface PatchedTree extends AsyncDisposable {
  /** Until it is disposed of, the copy has this patch. One at a time. */
  apply(patch: string): Promise<AsyncDisposable>
  /** Runs the command line of the copy. */
  run(line: readonly string[]): Promise<Ran>
}

export async function createPatchedTree(): Promise<PatchedTree> {
  const folder = await mkdtemp(join(tmpdir(), 'thundercloud-faults-'))
  for (const part of PARTS) await cp(join(ROOT, part), join(folder, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const git = (...args: string[]) => execute('git', ['apply', ...args], { cwd: folder })
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, '.compiled') }
  return {
    async apply(patch) {
      await git(patch)
      return { [Symbol.asyncDispose]: async () => void (await git('-R', patch)) }
    },
    async run(line) {
      const args = ['--conditions=thundercloud-source', '--no-warnings', 'src/cli/main.ts', ...line]
      const options = { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 }
      return await execute(process.execPath, args, options).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
      )
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
