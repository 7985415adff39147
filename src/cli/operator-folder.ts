import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { InputError } from '../base/errors.ts'
import { NODE_FILE } from '../config/constants.ts'
import type { Cli } from './cli.ts'

/** The operator's folder: as given, else $THUNDERCLOUD_DIR, else here if this is one, else in the home folder. */
export async function operatorFolder(
  { globals, env, cwd }: Pick<Cli, 'globals' | 'env' | 'cwd'>,
  given?: string | undefined,
): Promise<string> {
  if (given !== undefined && globals.dir !== undefined && resolve(cwd, given) !== resolve(cwd, globals.dir)) {
    throw new InputError(`the folder is "${given}", and --dir is "${globals.dir}"; name one of them`)
  }
  const named = given ?? globals.dir ?? (env.THUNDERCLOUD_DIR || undefined)
  if (named !== undefined) return resolve(cwd, named)
  if ((await stat(join(cwd, NODE_FILE)).catch(() => undefined))?.isFile() === true) return cwd
  return join(env.HOME || homedir(), '.thundercloud')
}
