import { join } from 'node:path'
import { z } from 'zod'
import type { ClientReader } from './types.ts'

const repository = z.object({ type: z.literal('composer'), url: z.string() })
const settings = z.object({ repositories: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]) })

/** composer: the first repository of the kind `composer` in the user's `config.json`. */
export const composerRepository: ClientReader = async ({ env, home, text }) => {
  const config = env.XDG_CONFIG_HOME ?? join(home, '.config')
  const folders =
    env.COMPOSER_HOME === undefined ? [join(config, 'composer'), join(home, '.composer')] : [env.COMPOSER_HOME]
  for (const folder of folders) {
    const found = settings.safeParse(JSON.parse((await text(join(folder, 'config.json'))) ?? '{}')).data?.repositories
    const first = Object.values(found ?? []).flatMap((entry) => repository.safeParse(entry).data ?? [])[0]
    if (first !== undefined) return first.url
  }
  return undefined
}
