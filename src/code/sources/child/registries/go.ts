import { lookUpModule } from './checksum-database/lookup.ts'
import { checkPackage } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^(?!.*(^|\/)\.+(\/|$))[A-Za-z0-9.-]+(\/[A-Za-z0-9._~-]+)*$/
const VERSION = /^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?$/

/**
 * The module proxy: `<module>/@v/<version>.zip`, capitals as `!` and the small letter. A proxy gives no hash of the zip; the
 * checksum database says what is in it.
 */
export const go: Registry = async (source, { http, base, checksumDatabase: database }) => {
  checkPackage(source, NAME, VERSION)
  const [name, version] = [source.name, source.version].map(escaped) as [string, string]
  const about = { http, base, escaped: `${name}@${version}` }
  return {
    url: new URL(`${name}/@v/${version}.zip`, base),
    origin: 'go',
    root: `${source.name}@${source.version}`,
    contentHash: database && (await lookUpModule(source, { ...about, database })),
  }
}

function escaped(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
}
