import { addressOf, checkPackage, checksumOf, field, listField, notFound, textField } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[a-z0-9]+([_.-][a-z0-9]+)*\/[a-z0-9]+(([_.]|-{1,2})[a-z0-9]+)*$/
const VERSION = /^v?[0-9][0-9A-Za-z.+_-]*$/

/** The repository's `metadata-url`: a list of versions, each of which says what differs from the one before (minified). */
export const composer: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const template = textField(await http.json(new URL('packages.json', base)), 'metadata-url') ?? 'p2/%package%.json'
  const page = addressOf(template.replace('%package%', name), base, source)
  const found = expanded(listField(await http.json(page), 'packages', name)).find((entry) =>
    ['version', 'version_normalized'].some((key) => textField(entry, key) === version),
  )
  const url = textField(found, 'dist', 'url')
  if (url === undefined) throw notFound(source, found === undefined ? undefined : 'has no archive')
  const checksum = checksumOf('sha1', textField(found, 'dist', 'shasum'))
  return { url: addressOf(url, page, source), checksum, origin: 'composer' }
}

/** Undoes `composer/metadata-minifier`. */
function expanded(versions: readonly unknown[]): Record<string, unknown>[] {
  let whole: Record<string, unknown> = {}
  return versions.map((entry) => {
    const changes = typeof entry === 'object' && entry !== null ? Object.entries(entry) : []
    whole = Object.fromEntries(
      [...Object.entries(whole), ...changes].filter(
        ([key, value]) => value !== '__unset' && field(entry, key) !== '__unset',
      ),
    )
    return whole
  })
}
