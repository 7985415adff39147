import { NotFoundError, UnusableSourceError } from '../errors.ts'
import { checkPackage, checksumOf, packageError, resolveUrl, stringAt, valueAt } from './metadata.ts'
import type { Checksum, Registry, RegistryContext, RegistrySource } from './types.ts'

const NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$/
/** One version: no range, tag or alias, which would lead elsewhere. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
const RELEASE = /^(\d+)\.(\d+)\.(\d+)$/
const STRONGEST_FIRST = ['sha512', 'sha384', 'sha256', 'sha1'] as const
/** All versions, without what only people read. */
const ABBREVIATED = 'application/vnd.npm.install-v1+json'

/**
 * `GET /<name>/<version>` of the registry's API, else the same of `GET /<name>`, the packument: `dist.tarball`,
 * `dist.integrity` (SRI), else `dist.shasum`. Some registries serve the packument alone.
 */
export const npm: Registry = async (source, context) => {
  checkPackage(source, NAME, VERSION)
  const { http, base } = context
  const { version } = source
  const document = await http.json(new URL(`${pathOf(source)}/${version}`, base)).catch((error) => {
    if (error instanceof NotFoundError) return versionOfPackument(source, context)
    throw error
  })
  const tarball = stringAt(document, 'dist', 'tarball')
  if (tarball === undefined || stringAt(document, 'version') !== version) throw packageError()
  return { url: resolveUrl(tarball, base), checksum: integrityOf(document), origin: 'npm' }
}

async function versionOfPackument(source: RegistrySource, { http, base }: RegistryContext): Promise<unknown> {
  const { name, version } = source
  const packument = await http.json(new URL(pathOf(source), base), { accept: ABBREVIATED }).catch((error) => {
    throw error instanceof NotFoundError ? new UnusableSourceError(`${base.host} has no package ${name}`) : error
  })
  const found = valueAt(packument, 'versions', version)
  if (found === undefined) throw noVersionError(source, packument)
  return found
}

function pathOf({ name }: RegistrySource): string {
  return name.replace('/', '%2f')
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

/** Says what there is instead, as far as the registry says it. */
function noVersionError({ version }: RegistrySource, packument: unknown): UnusableSourceError {
  const versions = valueAt(packument, 'versions')
  const known = typeof versions === 'object' && versions !== null ? Object.keys(versions) : []
  const nearest = known
    .filter((one) => RELEASE.exec(one)?.[1] === version.split('.')[0])
    .toSorted(byNumber)
    .at(-1)
  const latest = stringAt(packument, 'dist-tags', 'latest')
  const there = [
    ...(nearest === undefined || nearest === latest ? [] : [`the newest of ${version.split('.')[0]}.x is ${nearest}`]),
    ...(latest !== undefined && VERSION.test(latest) ? [`the latest is ${latest}`] : []),
  ]
  return packageError(['there is no such version', ...there].join('; '))
}

function byNumber(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]]
  return (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0)
}
