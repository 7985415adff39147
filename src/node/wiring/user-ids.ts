import { readFile } from 'node:fs/promises'
import type { Rng } from '../../base/rng.ts'
import { type Configuration, rangeOf } from '../../config/index.ts'
import { createUserIds, mappedRange, type UserIds } from '../../execution/index.ts'

/** Claims of all nodes of this machine. Beside the folder of sockets, because that one lets services through. */
const CLAIMS = '/run/thundercloud-uids'

/** Only root can give a run a user of its own. */
export async function openUserIds(
  components: { readonly rng: Rng },
  { dataDir, policy }: Pick<Configuration, 'dataDir' | 'policy'>,
): Promise<UserIds | undefined> {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return undefined
  const range = mappedRange(rangeOf(policy.config.HOST.UIDS), await readFile('/proc/self/uid_map', 'utf8'))
  return createUserIds(components, { range, dir: CLAIMS, owner: dataDir })
}
