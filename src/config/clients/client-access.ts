import type { Env } from '../env.ts'
import { goChecksumDatabase } from './go.ts'
import { npmAccess } from './npm.ts'
import { clientSettings } from './settings.ts'
import type { ClientAccessReader } from './types.ts'

/** npm has credentials and authorities of its own, and Go a checksum database; the other clients' own are not read. */
export function clientAccessReader(env: Env): ClientAccessReader {
  return {
    async read(kind, name, url) {
      const settings = clientSettings(env)
      if (settings === undefined) return {}
      if (kind === 'npm') return await npmAccess(settings, url)
      return kind === 'go' ? { checksumDatabase: await goChecksumDatabase(settings, name) } : {}
    },
  }
}
