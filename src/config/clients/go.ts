import { join } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { isHttp } from '../network-fields.ts'
import { netrcCredentials } from './netrc.ts'
import type { ChecksumDatabase, ClientSettings, PackageClient } from './types.ts'

/** go: the first proxy of GOPROXY. A login stands in it, or in `.netrc`. */
export const go: PackageClient = {
  address: async (settings) =>
    (await goSetting(settings, 'GOPROXY'))?.split(/[,|]/).find((proxy) => /^https?:/.test(proxy.trim())),
  credentials: netrcCredentials,
}

/**
 * The database of GOSUMDB (`name`, `name+hash+key`, either with an address behind it), unless it is `off` or GONOSUMDB (else
 * GOPRIVATE) names the module. The default of go's own program is its own, and not known here.
 */
export async function goChecksumDatabase(
  settings: ClientSettings,
  module: string,
): Promise<ChecksumDatabase | undefined> {
  const written = (await goSetting(settings, 'GOSUMDB'))?.trim()
  if (written === undefined || written === '' || written === 'off') return undefined
  const apart = (await goSetting(settings, 'GONOSUMDB')) ?? (await goSetting(settings, 'GOPRIVATE')) ?? ''
  if (apart.split(',').some((pattern) => isBelow(module, pattern.trim()))) return undefined
  const [key = '', address, ...more] = written.split(/\s+/)
  const [name = ''] = key.split('+')
  const url = address ?? `https://${name}`
  if (!/^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(name) || more.length > 0 || !isHttp(url)) {
    throw new InputError(
      `GOSUMDB is ${JSON.stringify(written)}; allowed is a name, NAME+HASH+KEY, either with an address behind it, or "off"`,
    )
  }
  return { name, url, key: key === name ? undefined : key }
}

/** From the environment, else from what `go env -w` wrote. */
async function goSetting({ env, home, text }: ClientSettings, key: string): Promise<string | undefined> {
  if (env[key] !== undefined && env[key] !== '') return env[key]
  const file = env.GOENV ?? join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'go/env')
  return new RegExp(`^${key}=(.*)$`, 'm').exec((await text(file)) ?? '')?.[1]
}

/** Do the first parts of the module's path match this glob? */
function isBelow(module: string, pattern: string): boolean {
  if (pattern === '') return false
  const globs = pattern.split('/')
  const parts = module.split('/')
  return (
    globs.length <= parts.length &&
    globs.every((glob, index) => {
      const text = glob
        .replace(/[\\^$.|+(){}]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')
      return new RegExp(`^${text}$`).test(parts[index] as string)
    })
  )
}
