import { arrayAt, checkPackage, checksumOf, packageError, resolveUrl, stringAt, valueAt } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[a-z0-9]+([_.-][a-z0-9]+)*\/[a-z0-9]+(([_.]|-{1,2})[a-z0-9]+)*$/
const COMMIT = /^[0-9a-f]{40}$/
const VERSION = /^v?[0-9][0-9A-Za-z.+_-]*$/

/** The repository's `metadata-url`: a list of versions, each of which says what differs from the one before (minified). */
export const composer: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const template = stringAt(await http.json(new URL('packages.json', base)), 'metadata-url') ?? 'p2/%package%.json'
  const page = resolveUrl(template.replace('%package%', name), base)
  const found = expanded(arrayAt(await http.json(page), 'packages', name)).find((entry) =>
    ['version', 'version_normalized'].some((key) => stringAt(entry, key) === version),
  )
  const url = stringAt(found, 'dist', 'url')
  if (url === undefined) throw packageError(found === undefined ? undefined : 'it has no archive')
  const checksum = checksumOf('sha1', stringAt(found, 'dist', 'shasum'))
  const commit = checksum === undefined ? commitOf(found) : undefined
  return { url: resolveUrl(url, page), checksum, commit, origin: 'composer' }
}

/** Of which the archive is made: that of `source`, unless `dist` says that the archive is made of another. */
function commitOf(version: unknown): string | undefined {
  const commit = stringAt(version, 'source', 'reference')
  if (stringAt(version, 'source', 'type') !== 'git' || !COMMIT.test(commit ?? '')) return undefined
  return (stringAt(version, 'dist', 'reference') ?? commit) === commit ? commit : undefined
}

/** Undoes `composer/metadata-minifier`. */
function expanded(versions: readonly unknown[]): Record<string, unknown>[] {
  let whole: Record<string, unknown> = {}
  return versions.map((entry) => {
    const changes = typeof entry === 'object' && entry !== null ? Object.entries(entry) : []
    whole = Object.fromEntries(
      [...Object.entries(whole), ...changes].filter(
        ([key, value]) => value !== '__unset' && valueAt(entry, key) !== '__unset',
      ),
    )
    return whole
  })
}
