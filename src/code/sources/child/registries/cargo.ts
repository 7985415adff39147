import { checkPackage, checksumOf, packageError, resolveUrl, stringAt } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
const MARKERS = /\{(crate|version|prefix|lowerprefix|sha256-checksum)\}/g

/** The sparse index: `config.json` has the address of files, the crate's file one line of JSON for each version. */
export const cargo: Registry = async (source, { http, base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const dl = stringAt(await http.json(new URL('config.json', base)), 'dl')
  const lines = (await http.text(new URL(`${prefixOf(name.toLowerCase())}/${name.toLowerCase()}`, base))).split('\n')
  const entry = lines.map(parsed).find((line) => stringAt(line, 'name') === name && stringAt(line, 'vers') === version)
  const cksum = stringAt(entry, 'cksum')
  if (dl === undefined || entry === undefined) throw packageError()
  const values: Record<string, string> = {
    crate: name,
    version,
    prefix: prefixOf(name),
    lowerprefix: prefixOf(name.toLowerCase()),
    'sha256-checksum': cksum ?? '',
  }
  const address = /\{/.test(dl)
    ? dl.replace(MARKERS, (_, key: string) => values[key] ?? '')
    : `${dl}/${name}/${version}/download`
  return { url: resolveUrl(address, base), checksum: checksumOf('sha256', cksum), origin: 'cargo' }
}

/** Where a crate's file lies in the index. */
function prefixOf(name: string): string {
  if (name.length <= 2) return `${name.length}`
  return name.length === 3 ? `3/${name[0]}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
