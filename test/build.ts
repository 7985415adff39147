import { execFile } from 'node:child_process'
import { existsSync, globSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { buildDashboard } from '../scripts/dashboard/build.ts'
import { openSharedFolder } from './fixtures/made-once.ts'

export const ROOT = join(import.meta.dirname, '..')

/** What a source file is built to. */
export function builtFile(source: string): string {
  return join(ROOT, 'dist', relative(ROOT, source)).replace(/\.ts$/, '.js')
}

/** The program as a package has it. From sources, each process of a node reads a thousand files and strips types first. */
export const MAIN = builtFile(join(ROOT, 'src/cli/main.ts'))

/** Written after a build: one that was killed midway is made again. */
const STAMP = join(ROOT, 'node_modules', '.thundercloud-built')

/** Builds what tests start, and lets processes that do start from sources compile them once for all. */
export async function setup(): Promise<() => Promise<void>> {
  if (!isFresh()) await build()
  await buildDashboard()
  const folder = await mkdtemp(join(tmpdir(), 'tc-compile-cache-'))
  process.env.NODE_COMPILE_CACHE = folder
  const shared = await openSharedFolder()
  return async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    await shared[Symbol.asyncDispose]()
  }
}

/** Files that a run of the tests beside this one reads are written where they changed only. */
function isFresh(): boolean {
  if (!existsSync(MAIN) || !existsSync(STAMP)) return false
  const built = statSync(STAMP).mtimeMs
  const sources = globSync(
    ['{src,protocols,configs}/**/*.{ts,json}', 'tsconfig*.json', 'package.json', 'scripts/bundle.ts'],
    { cwd: ROOT },
  )
  return sources.every((file) => statSync(join(ROOT, file)).mtimeMs < built)
}

async function build(): Promise<void> {
  const began = new Date()
  rmSync(STAMP, { force: true })
  const options = ['-p', 'tsconfig.build.json', '--declaration', 'false', '--noCheck']
  const run = (file: string, ...args: string[]) =>
    promisify(execFile)(process.execPath, [join(ROOT, file), ...args], { cwd: ROOT })
  await run('node_modules/typescript/bin/tsc', ...options)
  await run('scripts/bundle.ts')
  // what was saved while it was built is built the next time
  writeFileSync(STAMP, began.toISOString())
  utimesSync(STAMP, began, began)
}
