import { addressOf, checkPackage, checksumOf, listField, notFound, textField } from './metadata.ts'
import type { Checksum, Registry, RegistryContext, RegistrySource } from './types.ts'

const NAME = /^[A-Za-z0-9_]+([._-][A-Za-z0-9_]+)*$/
const VERSION = /^\d+(\.\d+){1,3}(-[0-9A-Za-z.-]+)?$/

/** What a .nupkg holds of its own. */
const METADATA = /^(_rels|package)\/|^\[Content_Types\]\.xml$|^\.signature\.p7s$/

/** The service index (v3): the flat container has the file, a leaf of the catalog its sha512. */
export const nuget: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const [id, version] = [source.name.toLowerCase(), source.version.toLowerCase()]
  const resources = listField(
    await http.json(base.pathname.endsWith('.json/') ? withoutSlash(base) : new URL('index.json', base)),
    'resources',
  )
  const resource = (type: string) =>
    textField(
      resources.find((one) => (textField(one, '@type') ?? '').startsWith(type)),
      '@id',
    )
  const files = resource('PackageBaseAddress')
  if (files === undefined) throw notFound(source, 'cannot be had: its registry has no flat container')
  const folder = addressOf(files.endsWith('/') ? files : `${files}/`, base, source)
  return {
    url: new URL(`${id}/${version}/${id}.${version}.nupkg`, folder),
    checksum: await catalogChecksum({ http, base }, source, resource('RegistrationsBaseUrl')),
    origin: 'nuget',
    isMetadata: (path) => METADATA.test(path),
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
  const folder = addressOf(registrations.endsWith('/') ? registrations : `${registrations}/`, base, source)
  const leaf = await http.json(new URL(`${source.name.toLowerCase()}/${source.version.toLowerCase()}.json`, folder))
  const entry = textField(leaf, 'catalogEntry')
  if (entry === undefined) return undefined
  const details = await http.json(addressOf(entry, folder, source))
  if (textField(details, 'packageHashAlgorithm')?.toUpperCase() !== 'SHA512') return undefined
  return checksumOf('sha512', textField(details, 'packageHash'), 'base64')
}
