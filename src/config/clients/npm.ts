import { accessSync, constants, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import type Config from '@npmcli/config'
import { InputError, systemMessageOf } from '../../base/errors.ts'
import { authorizationOf } from './authorization.ts'
import type { ClientAccess, ClientReader, ClientSettings } from './types.ts'

/** What the library does and its types do not say: credentials in force at the very address. */
type Credentials = { getCredentialsByURI(uri: string): { readonly token?: string; readonly auth?: string } }
type Definitions = Pick<ConstructorParameters<typeof Config>[0], 'definitions' | 'shorthands' | 'flatten'>

/** The address of packages without a scope, and of scopes that have none of their own. */
export const npmRegistry: ClientReader = async (settings) => textOf((await npmSettings(settings)).get('registry'))

/** What `@scope:registry` says, by scope. */
export async function npmScopes(settings: ClientSettings): Promise<Record<`@${string}`, string>> {
  const config = await npmSettings(settings)
  const found: Record<`@${string}`, string> = {}
  for (const key of new Set([...config.data.values()].flatMap(({ data }) => Object.keys(data)))) {
    const scope = /^(@[^:/]+):registry$/.exec(key)?.[1] as `@${string}` | undefined
    const url = scope === undefined ? undefined : textOf(config.get(key))
    if (scope !== undefined && url !== undefined) found[scope] = url
  }
  return found
}

/** `ca` or `cafile`, and the credentials for this address: a token, `_auth`, or a name with a password. */
export async function npmAccess(settings: ClientSettings, url: string): Promise<ClientAccess> {
  const config = await npmSettings(settings)
  const authorities = authoritiesOf(config)
  return { authorities, authorization: authorizationAt(config as Config & Credentials, url) }
}

function authoritiesOf(config: Config): string[] {
  try {
    return [config.flat.ca].flat().filter((one): one is string => typeof one === 'string' && one !== '')
  } catch (cause) {
    // a file that is not there is none; one that is there may be unreadable
    throw new InputError(`npm's cafile cannot be read (${systemMessageOf(cause)}); name another one in your .npmrc`, {
      cause,
    })
  }
}

/** Credentials stand at the address or above it. */
function authorizationAt(config: Credentials, url: string): string | undefined {
  for (let at = new URL(`${url.replace(/\/*$/, '')}/`); ; at = new URL('..', at)) {
    const { token, auth } = config.getCredentialsByURI(at.href)
    const header = token !== undefined ? `Bearer ${token}` : auth !== undefined ? `Basic ${auth}` : undefined
    if (header !== undefined) return authorizationOf({ header })
    if (at.pathname === '/') return undefined
  }
}

/** npm's own library reads its files, its environment and its defaults. The `.npmrc` of a project decides nothing. */
async function npmSettings({ env, home }: ClientSettings): Promise<Config> {
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
  return config
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
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
