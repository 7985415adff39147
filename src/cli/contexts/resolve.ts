import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { NODE_FILE } from '../../config/constants.ts'
import type { Env } from '../../config/index.ts'
import type { Globals } from '../cli.ts'
import { contextsFile } from './file.ts'

export type ResolveInit = {
  readonly env: Env
  readonly cwd: string
  /** the command line names the folder of a node as an argument */
  readonly namesFolder: boolean
}

/**
 * The options that name a node, as if they had been typed: those of --context, else of the context that is in use, where
 * nothing nearer names a node.
 */
export async function resolveContext(globals: Globals, { env, cwd, namesFolder }: ResolveInit): Promise<Globals> {
  const { context, dir, api, tokenFile } = globals
  const named = [dir, api, tokenFile].some((given) => given !== undefined)
  if (context !== undefined) {
    if (named) throw new InputError('--context names a node, and so do --dir, --api and --token-file; give one of them')
    const { findContext, readContexts } = await import('./store.ts')
    return { ...globals, ...findContext(await readContexts(env), context) }
  }
  if (named || namesFolder || env.THUNDERCLOUD_DIR || (await isThere(join(cwd, NODE_FILE)))) return globals
  // most have no contexts, and then nothing more is loaded
  if (!(await isThere(contextsFile(env)))) return globals
  const { findContext, readContexts } = await import('./store.ts')
  const contexts = await readContexts(env)
  return contexts.inUse === undefined ? globals : { ...globals, ...findContext(contexts, contexts.inUse) }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
