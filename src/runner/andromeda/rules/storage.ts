import { REGISTRY_KINDS } from '../../../../protocols/registries.ts'
import { registryOf } from '../../../config/files/registries.ts'
import { imageAddresses, type RegistryUse, registryAddresses } from '../../../config/files/registry-addresses.ts'
import type { RunnerConfig } from '../../../config/index.ts'
import { type DownloadSource, hostOfImage, hostOfUrl, isWithin } from '../hosts.ts'
import { fail, joinSorted, joinWhole, pass, safeText } from '../reasons.ts'
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
    asks: `At least one source of the code may be used. Peers and inline code need no entry. For \`https\`, \`git\` and \`oci\` the address's host is in \`ALLOWED_STORAGE\`, or below an entry at a dot. For \`registry\` (${REGISTRY_KINDS.join(', ')}) \`REGISTRIES\` has an address for its toolchain, or it is a name of the package index whose own client is configured with an address on the node; for \`oci\`, \`REGISTRIES.DOCKER\`. An address with \`OWN_ONLY\` counts for services of the node's own address.`,
    otherwise: 'not run, the reason names the hosts; redirected',
  },
  decide({ sources, author }, { config, own, clientRegistries }) {
    if (sources.length === 0) return [pass(name, 'names no source: peers are asked for the code')]
    const use = { own: author === own, clients: clientRegistries }
    const hosts = new Set<string>()
    const problems = new Set<string>()
    for (const source of sources) {
      if (source.type === 'mesh') return [pass(name, 'the code comes from peers')]
      if (source.type === 'inline') return [pass(name, 'the code came with the announcement')]
      const { usable, from, problem } = look(source, config, use)
      if (usable) return [pass(name, `the code may come from ${safeText(from)}`)]
      if (problem === undefined) hosts.add(from)
      else problems.add(problem)
    }
    const listed = hosts.size === 0 ? [] : [`may not download from ${joinSorted(hosts, 4)}: not in ALLOWED_STORAGE`]
    const message = [...listed, ...problems].join('; ')
    const value = joinWhole(['mesh', ...config.ALLOWED_STORAGE])
    return [fail(name, message, { field: 'sources', must: 'one-of', value })]
  },
}

type Look = { usable: boolean; from: string; problem?: string | undefined }

function look(source: DownloadSource, config: RunnerConfig, use: RegistryUse): Look {
  const allowed = (host: string | undefined) =>
    host !== undefined && config.ALLOWED_STORAGE.some((entry) => isWithin(host, entry))
  if (source.type === 'registry') {
    const { key, names } = registryOf(source.kind)
    const found = registryAddresses(config, source, use)
    if ('refused' in found) {
      return { usable: false, from: names[0] as string, problem: found.isAllowed ? found.refused : undefined }
    }
    return { usable: true, from: found[0]?.mirror === true ? `a mirror of REGISTRIES.${key}` : (names[0] as string) }
  }
  if (source.type === 'oci') {
    const found = imageAddresses(config, source.ref, use)
    const from = hostOfImage(source.ref) ?? 'an image reference without a host'
    if ('refused' in found) return { usable: false, from, problem: found.isAllowed ? found.refused : undefined }
    return { usable: true, from: found[0]?.mirror === true ? 'a registry of REGISTRIES.DOCKER' : from }
  }
  const host = hostOfUrl(source.url)
  return { usable: allowed(host), from: host ?? 'an address without a host' }
}
