import { arrayAt, checkPackage, checksumOf, packageError, resolveUrl, stringAt } from './metadata.ts'
import type { Checksum, Registry, RegistryContext, RegistrySource } from './types.ts'

const NAME = /^[A-Za-z0-9_]+([._-][A-Za-z0-9_]+)*$/
const VERSION = /^\d+(\.\d+){1,3}(-[0-9A-Za-z.-]+)?$/

/** The service index (v3): the flat container has the file, a leaf of the catalog its sha512. */
export const nuget: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const [id, version] = [source.name.toLowerCase(), source.version.toLowerCase()]
  const resources = arrayAt(
    await http.json(base.pathname.endsWith('.json/') ? withoutSlash(base) : new URL('index.json', base)),
    'resources',
  )
  const resource = (type: string) =>
    stringAt(
      resources.find((one) => (stringAt(one, '@type') ?? '').startsWith(type)),
      '@id',
    )
  const files = resource('PackageBaseAddress')
  if (files === undefined) throw packageError('its registry has no flat container')
  const folder = resolveUrl(files.endsWith('/') ? files : `${files}/`, base)
  return {
    url: new URL(`${id}/${version}/${id}.${version}.nupkg`, folder),
    checksum: await catalogChecksum({ http, base }, source, resource('RegistrationsBaseUrl')),
    origin: 'nuget',
  }
}

function withoutSlash(base: URL): URL {
  return new URL(base.href.replace(/\/$/, ''))
}

async function catalogChecksum(
  { http, base }: RegistryContext,
  source: RegistrySource,
  registrations: string | undefined,
): Promise<Checksum | undefined> {
  if (registrations === undefined) return undefined
  const folder = resolveUrl(registrations.endsWith('/') ? registrations : `${registrations}/`, base)
  const leaf = await http.json(new URL(`${source.name.toLowerCase()}/${source.version.toLowerCase()}.json`, folder))
  const entry = stringAt(leaf, 'catalogEntry')
  if (entry === undefined) return undefined
  const details = await http.json(resolveUrl(entry, folder))
  if (stringAt(details, 'packageHashAlgorithm')?.toUpperCase() !== 'SHA512') return undefined
  return checksumOf('sha512', stringAt(details, 'packageHash'), 'base64')
}
