import { join } from 'node:path'
import { z } from 'zod'
import type { ClientSettings, PackageClient } from './types.ts'

const repository = z.object({ type: z.literal('composer'), url: z.string() })
const settings = z.object({ repositories: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]) })
const authorities = z.object({ config: z.object({ cafile: z.string() }) })
const secrets = z.object({
  'http-basic': z.record(z.string(), z.object({ username: z.string(), password: z.string() })).optional(),
  bearer: z.record(z.string(), z.string()).optional(),
})

/** composer: its `config.json` and `auth.json`. */
export const composer: PackageClient = {
  /** the first repository of the kind `composer` */
  async address(from) {
    for await (const document of documents(from, 'config.json')) {
      const found = Object.values(settings.safeParse(document).data?.repositories ?? [])
      const first = found.flatMap((entry) => repository.safeParse(entry).data ?? [])[0]
      if (first !== undefined) return first.url
    }
    return undefined
  },
  /** Logins are by host, with its port where that is another one. */
  async credentials(from, { host }) {
    for await (const document of logins(from)) {
      const found = secrets.safeParse(document).data
      const token = found?.bearer?.[host]
      const login = found?.['http-basic']?.[host] ?? (token === undefined ? undefined : { header: `Bearer ${token}` })
      if (login !== undefined) return login
    }
    return undefined
  },
  async authorityFile(from) {
    for await (const document of documents(from, 'config.json')) {
      const found = authorities.safeParse(document).data
      if (found !== undefined) return found.config.cafile
    }
    return undefined
  },
}

async function* logins(from: ClientSettings): AsyncGenerator<unknown> {
  const written = from.env.COMPOSER_AUTH
  if (written !== undefined) yield JSON.parse(written)
  yield* documents(from, 'auth.json')
}

async function* documents({ env, home, text }: ClientSettings, file: string): AsyncGenerator<unknown> {
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const folders =
    env.COMPOSER_HOME === undefined ? [join(config, 'composer'), join(home, '.composer')] : [env.COMPOSER_HOME]
  for (const folder of folders) {
    const written = await text(join(folder, file))
    if (written !== undefined) yield JSON.parse(written)
  }
}
