import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import type { Env } from '../config/index.ts'
import { cacheFolder, homeFolder } from '../config/user-folders.ts'

/** A package keeps some 250, a checkout 3,000, and each version its own: those of versions that are gone are of no use. */
const MAX_FILES = 10_000

/**
 * Keeps what V8 compiled for the next command, which starts in half the processor time with it. The folder is the user's own:
 * code that somebody else could put there would run here. Where there is none, each command compiles for itself.
 * `NODE_COMPILE_CACHE=FOLDER` takes another folder, `NODE_DISABLE_COMPILE_CACHE=1` keeps nothing.
 */
export function keepCompiledCode(env: Env): void {
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return
  try {
    // as root in the home of another, by sudo: files of root's would be left there
    if (process.getuid !== undefined && statSync(homeFolder(env)).uid !== process.getuid()) return
    const folder = join(cacheFolder(env), 'compiled')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (readdirSync(folder, { recursive: true }).length > MAX_FILES) rmSync(folder, { recursive: true })
    enableCompileCache(folder)
  } catch {
    // no home, or one that cannot be written to
  }
}
