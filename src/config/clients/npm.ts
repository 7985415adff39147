import { accessSync, constants, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import type Config from '@npmcli/config'
import type { ClientReader } from './types.ts'

type Definitions = Pick<ConstructorParameters<typeof Config>[0], 'definitions' | 'shorthands' | 'flatten'>

/** npm's own library reads its files, its environment and its defaults. The `.npmrc` of a project decides nothing. */
export const npmRegistry: ClientReader = async ({ env, home }) => {
  const { default: Settings } = await import('@npmcli/config')
  // which settings there are, and what each is by default: no file of types describes it
  const known: Definitions = createRequire(import.meta.url)('@npmcli/config/lib/definitions')
  const { definitions, shorthands, flatten } = known
  const program = findNpm(env.PATH ?? '')
  const config = new Settings({
    ...{ definitions, shorthands, flatten, argv: [], cwd: home },
    // the library writes into it
    env: { ...env },
    // files of the whole machine are where npm is installed
    execPath: program === undefined ? process.execPath : join(dirname(program), 'node'),
    npmPath: program === undefined ? home : dirname(dirname(realpathSync(program))),
  })
  await config.load()
  const registry: unknown = config.get('registry')
  return typeof registry === 'string' ? registry : undefined
}

/** npm's program among the folders of a PATH. */
export function findNpm(path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, 'npm'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
