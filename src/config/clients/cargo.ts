import { join } from 'node:path'
import { parse, type TomlTable, type TomlValue } from 'smol-toml'
import { isSameAddress } from './authorization.ts'
import type { ClientSettings, PackageClient } from './types.ts'

/** cargo: the source, or the registry of that name, that replaces crates-io, where it is a sparse index. */
export const cargo: PackageClient = {
  async address(settings) {
    const { source: sources, registries } = await cargoTable(settings, 'config')
    let at = 'crates-io'
    // a replacement may be replaced
    for (const seen = new Set<string>(); !seen.has(at); ) {
      seen.add(at)
      const next = field(field(sources, at), 'replace-with')
      if (typeof next !== 'string') break
      at = next
    }
    if (at === 'crates-io') return undefined
    return sparse(field(field(sources, at), 'registry') ?? registryIndex(settings, registries, at))
  },
  /** The token of the registry that has this index. cargo sends it without a scheme. */
  async credentials(settings, url) {
    const { registries } = await cargoTable(settings, 'config')
    const { registries: secrets } = await cargoTable(settings, 'credentials')
    const names = [...new Set([registries, secrets].flatMap((table) => Object.keys(tableOf(table) ?? {})))]
    const name = names.find((one) => {
      const index = sparse(registryIndex(settings, registries, one))
      return index !== undefined && isSameAddress(index, url.href)
    })
    if (name === undefined) return undefined
    const token =
      settings.env[variable(name, 'TOKEN')] ??
      field(field(secrets, name), 'token') ??
      field(field(registries, name), 'token')
    return typeof token === 'string' ? { header: token } : undefined
  },
  async authorityFile(settings) {
    const { http } = await cargoTable(settings, 'config')
    const found = settings.env.CARGO_HTTP_CAINFO ?? field(http, 'cainfo')
    return typeof found === 'string' ? found : undefined
  },
}

function registryIndex({ env }: ClientSettings, registries: TomlValue | undefined, name: string) {
  return env[variable(name, 'INDEX')] ?? field(field(registries, name), 'index')
}

function variable(name: string, of: 'INDEX' | 'TOKEN'): string {
  return `CARGO_REGISTRIES_${name.toUpperCase().replaceAll('-', '_')}_${of}`
}

function sparse(index: TomlValue | undefined): string | undefined {
  return typeof index === 'string' && index.startsWith('sparse+') ? index.slice('sparse+'.length) : undefined
}

/** With the ending first, as cargo looks for it. */
async function cargoTable({ env, home, text }: ClientSettings, file: 'config' | 'credentials'): Promise<TomlTable> {
  const path = join(env.CARGO_HOME ?? join(home, '.cargo'), file)
  return parse((await text(`${path}.toml`)) ?? (await text(path)) ?? '')
}

function tableOf(value: TomlValue | undefined): TomlTable | undefined {
  const isTable = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
  return isTable ? (value as TomlTable) : undefined
}

function field(value: TomlValue | undefined, key: string): TomlValue | undefined {
  const table = tableOf(value)
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined
}
