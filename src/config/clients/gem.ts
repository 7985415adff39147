import { join } from 'node:path'
import { parse } from 'yaml'
import type { Credentials } from './authorization.ts'
import type { ClientSettings, PackageClient } from './types.ts'

/** gem: the first of `:sources:`, else Bundler's mirror of all sources. Logins stand in the address, else are Bundler's. */
export const gem: PackageClient = {
  async address(settings) {
    for await (const found of gemSettings(settings)) {
      const sources = entry(found, /^:?sources:?$/)
      const [first]: unknown[] = Array.isArray(sources) ? sources : []
      if (typeof first === 'string') return first
    }
    return await bundlerSetting(settings, 'BUNDLE_MIRROR__ALL')
  },
  async credentials(settings, { hostname }) {
    const key = `BUNDLE_${hostname.toUpperCase().replaceAll('-', '___').replaceAll('.', '__')}`
    return login(await bundlerSetting(settings, key))
  },
  async authorityFile(settings) {
    for await (const found of gemSettings(settings)) {
      const file = entry(found, /^:?ssl_ca_cert:?$/)
      if (typeof file === 'string') return file
    }
    return await bundlerSetting(settings, 'BUNDLE_SSL_CA_CERT')
  },
}

/** `name:password`, or a token in the place of the name. */
function login(written: string | undefined): Credentials | undefined {
  if (written === undefined) return undefined
  const [username = '', ...password] = written.split(':')
  return { username, password: password.join(':') }
}

async function* gemSettings({ env, home, text }: ClientSettings): AsyncGenerator<object> {
  const files = [env.GEMRC, join(home, '.gemrc'), join(home, '.config/gem/gemrc'), '/etc/gemrc']
  for (const file of files) {
    const found: unknown = parse((file && (await text(file))) || '')
    if (typeof found === 'object' && found !== null) yield found
  }
}

function entry(of: object, name: RegExp): unknown {
  return Object.entries(of).find(([key]) => name.test(key))?.[1]
}

async function bundlerSetting({ env, home, text }: ClientSettings, key: string): Promise<string | undefined> {
  if (env[key] !== undefined) return env[key]
  const file = env.BUNDLE_USER_CONFIG ?? join(env.BUNDLE_USER_HOME ?? join(home, '.bundle'), 'config')
  const found: unknown = parse((await text(file)) ?? '')
  const value: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  return typeof value === 'string' ? value : undefined
}
