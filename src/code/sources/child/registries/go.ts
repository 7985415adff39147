import { checkPackage } from './metadata.ts'
import type { Registry } from './types.ts'

const NAME = /^(?!.*(^|\/)\.+(\/|$))[A-Za-z0-9.-]+(\/[A-Za-z0-9._~-]+)*$/
const VERSION = /^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?$/

/** The module proxy: `<module>/@v/<version>.zip`, capitals as `!` and the small letter. A proxy gives no hash of the zip. */
export const go: Registry = async (source, { base }) => {
  checkPackage(source, NAME, VERSION)
  const { name, version } = source
  const url = new URL(`${escaped(name)}/@v/${escaped(version)}.zip`, base)
  return { url, origin: 'go', root: `${name}@${version}` }
}

function escaped(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
}
