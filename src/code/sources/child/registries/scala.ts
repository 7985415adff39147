import { SourceUnavailableError, UnusableSourceError } from '../errors.ts'
import type { Http } from '../http.ts'
import { checkPackage, checksumOf } from './metadata.ts'
import type { Checksum, Registry } from './types.ts'

const PART = '[A-Za-z0-9_][A-Za-z0-9_.-]*'
const NAME = new RegExp(`^${PART}:${PART}(:${PART})?(@[A-Za-z0-9.]+)?$`)
const VERSION = /^(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z_.+-]*$/

/** Coordinates `group:artifact[:classifier][@ext]` in Maven's layout; `.sha256` beside the file, else `.sha1`. */
export const scala: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const [coordinates = '', extension = 'jar'] = source.name.split('@')
  const [group = '', artifact = '', classifier] = coordinates.split(':')
  const file = [artifact, source.version, ...(classifier === undefined ? [] : [classifier])].join('-')
  const url = new URL(`${group.replaceAll('.', '/')}/${artifact}/${source.version}/${file}.${extension}`, base)
  return { url, checksum: (await beside(http, url, 'sha256')) ?? (await beside(http, url, 'sha1')), origin: 'scala' }
}

async function beside(http: Http, url: URL, algorithm: 'sha256' | 'sha1'): Promise<Checksum | undefined> {
  try {
    const text = await http.text(new URL(`${url.href}.${algorithm}`), { maxBytes: 1024 })
    return checksumOf(algorithm, text.trim().split(/\s/)[0])
  } catch (error) {
    if (error instanceof UnusableSourceError || error instanceof SourceUnavailableError) return undefined
    throw error
  }
}
