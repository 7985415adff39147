import { REGISTRY_KINDS } from '../../../../protocols/registries.ts'
import { registryOf } from '../../../config/files/registries.ts'
import type { RunnerConfig } from '../../../config/index.ts'
import { type DownloadSource, hostOfImage, hostOfUrl, isWithin } from '../hosts.ts'
import { fail, pass, shown, some, values } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'storage'

/**
 * Code must have a source that this node may use: peers and inline code need no entry; a host must be in
 * ALLOWED_STORAGE, or below an entry; a package index by one of its names, or with a mirror in REGISTRIES.
 */
export const storage: Rule = {
  name,
  keys: ['ALLOWED_STORAGE', 'REGISTRIES'],
  onFail: 'redirect',
  doc: {
    asks: `At least one source of the code may be used. Peers and inline code need no entry. For \`https\`, \`git\` and \`oci\` the address's host is in \`ALLOWED_STORAGE\`, or below an entry at a dot. For \`registry\` (${REGISTRY_KINDS.join(', ')}) it is a name of the package index, or \`REGISTRIES\` has a mirror for its toolchain; for \`oci\`, \`REGISTRIES.DOCKER\`.`,
    otherwise: 'not run, the reason names the hosts; redirected',
  },
  decide({ sources }, { config }) {
    if (sources.length === 0) return [pass(name, 'names no source: peers are asked for the code')]
    const refused = new Set<string>()
    for (const source of sources) {
      if (source.type === 'mesh') return [pass(name, 'the code is had from peers')]
      if (source.type === 'inline') return [pass(name, 'the code came with the announcement')]
      const { usable, from } = look(source, config)
      if (usable) return [pass(name, `the code may come from ${shown(from)}`)]
      refused.add(from)
    }
    const message = `may not download from ${some(refused, 4)}: not in ALLOWED_STORAGE`
    const value = values(['mesh', ...config.ALLOWED_STORAGE])
    return [fail(name, message, { field: 'sources', must: 'one-of', value })]
  },
}

function look(source: DownloadSource, config: RunnerConfig): { usable: boolean; from: string } {
  const allowed = (host: string | undefined) =>
    host !== undefined && config.ALLOWED_STORAGE.some((entry) => isWithin(host, entry))
  const mirrored = (key: string) => (config.REGISTRIES[key]?.length ?? 0) > 0
  if (source.type === 'registry') {
    const { key, names } = registryOf(source.kind)
    if (mirrored(key)) return { usable: true, from: `a mirror of REGISTRIES.${key}` }
    return { usable: names.some(allowed), from: names[0] as string }
  }
  if (source.type === 'oci') {
    const host = hostOfImage(source.ref)
    if (mirrored('DOCKER')) return { usable: true, from: 'a registry of REGISTRIES.DOCKER' }
    return { usable: allowed(host), from: host ?? 'an image reference without a host' }
  }
  const host = hostOfUrl(source.url)
  return { usable: allowed(host), from: host ?? 'an address without a host' }
}
