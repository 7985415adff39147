import { checkPackage } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/
const VERSION = /^\d+(\.\d+)*$/

/**
 * `package/<name>-<version>/<name>-<version>.tar.gz`. The hashes of Hackage are in one index of all packages, of more than
 * a hundred megabytes, so this source has none; revisions of the .cabal file are not applied.
 */
export const hackage: Registry = async (source, { base }) => {
  checkPackage(source, NAME, VERSION)
  const id = `${source.name}-${source.version}`
  return { url: new URL(`package/${id}/${id}.tar.gz`, base), origin: 'hackage' }
}
