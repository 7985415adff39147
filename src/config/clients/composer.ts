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
    for (const document of await documents(from, 'config.json')) {
      const found = Object.values(settings.safeParse(document).data?.repositories ?? [])
      const first = found.flatMap((entry) => repository.safeParse(entry).data ?? [])[0]
      if (first !== undefined) return first.url
    }
    return undefined
  },
  /** Logins are by host, with its port where that is another one. */
  async credentials(from, { host }) {
    const written = from.env.COMPOSER_AUTH
    const named: unknown[] = written === undefined ? [] : [JSON.parse(written)]
    for (const document of [...named, ...(await documents(from, 'auth.json'))]) {
      const found = secrets.safeParse(document).data
      const token = found?.bearer?.[host]
      const login = found?.['http-basic']?.[host] ?? (token === undefined ? undefined : { header: `Bearer ${token}` })
      if (login !== undefined) return login
    }
    return undefined
  },
  async authorityFile(from) {
    const found = (await documents(from, 'config.json')).flatMap(
      (document) => authorities.safeParse(document).data ?? [],
    )
    return found[0]?.config.cafile
  },
}

async function documents({ env, home, text }: ClientSettings, file: string): Promise<unknown[]> {
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const folders =
    env.COMPOSER_HOME === undefined ? [join(config, 'composer'), join(home, '.composer')] : [env.COMPOSER_HOME]
  const written = await Promise.all(folders.map(async (folder) => await text(join(folder, file))))
  return written.filter((one) => one !== undefined).map((one) => JSON.parse(one) as unknown)
}
