import { join } from 'node:path'
import { parse } from 'ini'
import { netrcCredentials } from './netrc.ts'
import type { ClientSettings, PackageClient } from './types.ts'

/** pip: a variable, else the user's file, else the machine's. Logins stand in the address or in `.netrc`. */
export const pip: PackageClient = {
  address: async (settings) => await pipSetting(settings, 'index-url'),
  credentials: netrcCredentials,
  authorityFile: async (settings) =>
    (await pipSetting(settings, 'cert')) ?? settings.env.REQUESTS_CA_BUNDLE ?? settings.env.CURL_CA_BUNDLE,
}

async function pipSetting({ env, home, text }: ClientSettings, name: string): Promise<string | undefined> {
  const variable = env[`PIP_${name.toUpperCase().replaceAll('-', '_')}`]
  if (variable !== undefined) return variable
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const files = [env.PIP_CONFIG_FILE, join(config, 'pip/pip.conf'), join(home, '.pip/pip.conf'), '/etc/pip.conf']
  for (const file of files.filter((path) => path !== undefined)) {
    const found: unknown = parse((await text(file)) ?? '').global?.[name]
    if (typeof found === 'string') return found
  }
  return undefined
}
