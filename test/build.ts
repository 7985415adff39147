import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..')

/** The program as a package has it. From sources, each process of a node strips types first, for a quarter second. */
export const MAIN = join(ROOT, 'dist', 'src', 'cli', 'main.js')

/** Builds what tests start, and lets processes that do start from sources compile them once for all. */
export async function setup(): Promise<() => Promise<void>> {
  const options = ['-p', 'tsconfig.build.json', '--declaration', 'false', '--noCheck']
  await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options], {
    cwd: ROOT,
  })
  const folder = await mkdtemp(join(tmpdir(), 'tc-compile-cache-'))
  process.env.NODE_COMPILE_CACHE = folder
  return () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
