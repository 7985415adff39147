import { join } from 'node:path'
import { parse, type TomlTable, type TomlValue } from 'smol-toml'
import type { ClientReader } from './types.ts'

/** cargo: the source that replaces crates-io, where it is a sparse index. */
export const cargoIndex: ClientReader = async ({ env, home, text }) => {
  const folder = env.CARGO_HOME ?? join(home, '.cargo')
  const written = (await text(join(folder, 'config.toml'))) ?? (await text(join(folder, 'config'))) ?? ''
  const sources = parse(written).source
  let at = 'crates-io'
  // a replacement may be replaced
  for (const seen = new Set<string>(); !seen.has(at); ) {
    seen.add(at)
    const next = field(field(sources, at), 'replace-with')
    if (typeof next !== 'string') break
    at = next
  }
  const registry = field(field(sources, at), 'registry')
  return typeof registry === 'string' && registry.startsWith('sparse+') ? registry.slice('sparse+'.length) : undefined
}

function field(value: TomlValue | undefined, key: string): TomlValue | undefined {
  const isTable = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
  return isTable && Object.hasOwn(value, key) ? (value as TomlTable)[key] : undefined
}
