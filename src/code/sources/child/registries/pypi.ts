import { arrayAt, checkPackage, checksumOf, packageError, resolveUrl, stringAt } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/
const VERSION = /^[0-9][0-9A-Za-z.!+_-]*$/
const ACCEPT = 'application/vnd.pypi.simple.v1+json'
const PURE_WHEEL = /-py3-none-any\.whl$/

const normalized = (text: string) => text.replace(/[-_.]+/g, '-').toLowerCase()

/** The simple API as JSON (PEP 691): the source distribution, else the only wheel for all platforms; sha256. */
export const pypi: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const page = new URL(`${normalized(source.name)}/`, base)
  const document = await http.json(page, { accept: ACCEPT })
  const files = arrayAt(document, 'files').flatMap((file) => {
    const filename = stringAt(file, 'filename')
    const url = stringAt(file, 'url')
    if (filename === undefined || url === undefined || !isOfVersion(filename, source)) return []
    return [{ filename, url, sha256: stringAt(file, 'hashes', 'sha256') }]
  })
  const wheels = files.filter(({ filename }) => PURE_WHEEL.test(filename))
  const found =
    files.find(({ filename }) => filename.endsWith('.tar.gz')) ??
    files.find(({ filename }) => filename.endsWith('.zip')) ??
    (wheels.length === 1 ? wheels[0] : undefined)
  if (found === undefined) throw packageError('it has no source distribution, and not one wheel for all platforms')
  return {
    url: resolveUrl(found.url, page),
    checksum: checksumOf('sha256', found.sha256),
    // a wheel has no folder around its files
    origin: found.filename.endsWith('.whl') ? 'https' : 'pypi',
  }
}

/** `name-version.tar.gz`, `name-version-py3-none-any.whl`: the name may be spelled with other separators. */
function isOfVersion(filename: string, { name, version }: { name: string; version: string }): boolean {
  const stem = filename.replace(/\.tar\.gz$|\.zip$/, '').replace(PURE_WHEEL, '')
  return stem !== filename && normalized(stem) === normalized(`${name}-${version}`)
}
