import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageFile } from '../base/child-entry.ts'
import type { Clock } from '../base/clock.ts'
import { InputError, systemMessageOf } from '../base/errors.ts'
import { exists } from '../config/index.ts'
import { findProgram, runProcess } from '../process/index.ts'

/** What a run of the simulator reads of a checkout. */
const PARTS = ['src', 'protocols', 'configs', 'package.json', 'package-lock.json', 'tsconfig.json'] as const
const ENTRY = 'src/cli/main.ts'
/** In a copy: the patch that it has. */
const APPLIED = 'applied.patch'
const GIT_MS = 60_000

/** A copy of the sources with a patch in it; disposed of, it is gone. */
export interface PatchedSources extends AsyncDisposable {
  readonly folder: string
  /** arguments of Node.js that start the command line of the copy */
  readonly entry: readonly string[]
}

/** Does this program run from a copy that has this patch already? */
export async function hasPatch(patch: Buffer): Promise<boolean> {
  const applied = await readFile(packageFile(APPLIED)).catch(() => undefined)
  return applied?.equals(patch) === true
}

export async function readPatch(path: string, name: string): Promise<Buffer> {
  return await readFile(path).catch((error: unknown) => {
    throw new InputError(`${name} cannot be read (${systemMessageOf(error)}); name a unified diff of the sources`)
  })
}

/** `name`: what messages call the patch. Rejects with an InputError where there are no sources, or it does not apply to them. */
export async function createPatchedSources(
  { clock }: { clock: Clock },
  { patch, name, signal }: { patch: Buffer; name: string; signal: AbortSignal },
): Promise<PatchedSources> {
  if (!(await exists(packageFile(ENTRY))))
    throw new InputError('--patch changes sources, and this package was installed without them; use a checkout')
  const git = findProgram('git')
  if (git === undefined) throw new InputError('--patch needs git, which is not installed: install it')
  const folder = await mkdtemp(join(tmpdir(), 'thundercloud-patched-'))
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 })
  const ask = (...args: string[]) =>
    runProcess(clock, { kind: 'tool', program: git, args: ['-C', folder, ...args] }, { timeoutMs: GIT_MS, signal })
  try {
    for (const part of PARTS) {
      signal.throwIfAborted()
      await cp(packageFile(part), join(folder, part), { recursive: true })
    }
    await symlink(packageFile('node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, APPLIED), patch)
    // in a repository around the copy, git would look for the paths of the patch there, and skip them
    await ask('init', '-q', '--template=')
    const { exitCode, stderr } = await ask('apply', APPLIED)
    if (exitCode !== 0)
      throw new InputError(`${name} does not apply to the sources of this checkout: ${saidBy(stderr)}`)
    return {
      folder,
      entry: ['--conditions=thundercloud-source', '--no-warnings', join(folder, ENTRY)],
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

function saidBy(stderr: string): string {
  const line = stderr.split('\n').find((line) => line.startsWith('error: ')) ?? stderr.trim()
  return line.replace(/^error: /, '')
}
