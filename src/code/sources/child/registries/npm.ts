import { checkPackage, checksumOf, packageError, resolveUrl, stringAt } from './metadata.ts'
import type { Checksum, Registry } from './types.ts'

const NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/
/** One version: no range, tag or alias, which would lead elsewhere. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
const STRONGEST_FIRST = ['sha512', 'sha384', 'sha256', 'sha1'] as const

/** `GET /<name>/<version>` of the registry's API: `dist.tarball`, `dist.integrity` (SRI), else `dist.shasum`. */
export const npm: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const document = await http.json(new URL(`${name.replace('/', '%2f')}/${version}`, base))
  const tarball = stringAt(document, 'dist', 'tarball')
  if (tarball === undefined || stringAt(document, 'version') !== version) throw packageError(source)
  return { url: resolveUrl(tarball, base, source), checksum: integrityOf(document), origin: 'npm' }
}

function integrityOf(document: unknown): Checksum | undefined {
  const hashes = (stringAt(document, 'dist', 'integrity') ?? '').split(/\s+/)
  for (const algorithm of STRONGEST_FIRST) {
    const found = hashes.find((hash) => hash.startsWith(`${algorithm}-`))
    const checksum = checksumOf(algorithm, found?.slice(algorithm.length + 1).split('?')[0], 'base64')
    if (checksum !== undefined) return checksum
  }
  return checksumOf('sha1', stringAt(document, 'dist', 'shasum'))
}
