import { join } from 'node:path'
import { parse, type TomlTable, type TomlValue } from 'smol-toml'
import type { ClientReader } from './types.ts'

/** cargo: the source, or the registry of that name, that replaces crates-io, where it is a sparse index. */
export const cargoIndex: ClientReader = async ({ env, home, text }) => {
  const folder = env.CARGO_HOME ?? join(home, '.cargo')
  const written = (await text(join(folder, 'config.toml'))) ?? (await text(join(folder, 'config'))) ?? ''
  const { source: sources, registries } = parse(written)
  let at = 'crates-io'
  // a replacement may be replaced
  for (const seen = new Set<string>(); !seen.has(at); ) {
    seen.add(at)
    const next = field(field(sources, at), 'replace-with')
    if (typeof next !== 'string') break
    at = next
  }
  if (at === 'crates-io') return undefined
  const found =
    field(field(sources, at), 'registry') ??
    env[`CARGO_REGISTRIES_${at.toUpperCase().replaceAll('-', '_')}_INDEX`] ??
    field(field(registries, at), 'index')
  return typeof found === 'string' && found.startsWith('sparse+') ? found.slice('sparse+'.length) : undefined
}

function field(value: TomlValue | undefined, key: string): TomlValue | undefined {
  const isTable = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
  return isTable && Object.hasOwn(value, key) ? (value as TomlTable)[key] : undefined
}
