import { toolchains } from '../../config/index.ts'

/** What to install for the toolchains that `PREFER_TOOLCHAIN.host` lists; undefined where nothing is missing. */
export function programAdvice(installed: readonly string[] | undefined, listed: readonly string[]): string | undefined {
  const missing = toolchains.filter(({ name }) => listed.includes(name) && installed?.includes(name) === false)
  if (missing.length === 0) return undefined
  const names = missing.map(({ name, program }) => `${program} (${name})`).join(', ')
  return `install ${names} in /usr/bin or /usr/local/bin, or remove the toolchain from PREFER_TOOLCHAIN.host: its services wait until then`
}
