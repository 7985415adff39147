import { checkPackage, checksumOf, packageError } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[A-Za-z0-9._-]*[A-Za-z][A-Za-z0-9._-]*$/
const VERSION = /^[0-9]+(\.[0-9A-Za-z]+)*$/

/** The compact index: `info/<name>` has a line for each version, `<version> <dependencies>|checksum:<sha256>,...`. Platform `ruby` alone. */
export const gem: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const lines = (await http.text(new URL(`info/${name}`, base))).split('\n')
  const line = lines.find((one) => one.startsWith(`${version} `))
  if (line === undefined) throw packageError('there is no such version for the platform ruby')
  const sha256 = /[|,]checksum:([0-9a-f]{64})/.exec(line)?.[1]
  return {
    url: new URL(`gems/${name}-${version}.gem`, base),
    checksum: checksumOf('sha256', sha256),
    origin: 'gem',
    inner: 'data.tar.gz',
  }
}
