import { stringify } from 'smol-toml'
import type { ClientRegistries } from './types.ts'

/** Variables, and the text of files by their absolute path. */
export type BuildSettings = {
  readonly env: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

/** Where cargo looks for every package, after the folders of the package itself: it reads no variable for a source. */
const CARGO_CONFIG = '/.cargo/config.toml'
const AUTHORITIES = '/opt/thundercloud/authorities.pem'
/** Each client has its own name for the certificates that it believes. */
const AUTHORITY_VARIABLES = [
  ...['NODE_EXTRA_CA_CERTS', 'npm_config_cafile', 'PIP_CERT', 'REQUESTS_CA_BUNDLE'],
  ...['CARGO_HTTP_CAINFO', 'SSL_CERT_FILE', 'GIT_SSL_CAINFO', 'CURL_CA_BUNDLE'],
]

/**
 * What makes the package managers of a build download from these addresses: npm, pip, cargo, go and bundler. `authorities`:
 * the certificates, as PEM, that they believe in the place of their own; none: their own.
 */
export function buildSettings(addresses: ClientRegistries, authorities: readonly string[] = []): BuildSettings {
  const { npm, pypi, cargo, go, gem } = addresses
  const env = {
    ...(npm && { npm_config_registry: npm, npm_config_audit: 'false', npm_config_update_notifier: 'false' }),
    ...(pypi && { PIP_INDEX_URL: pypi, PIP_DISABLE_PIP_VERSION_CHECK: '1', ...trusted(pypi) }),
    // no checksum database is among the addresses: go.sum says what a module is
    ...(go && { GOPROXY: go, GOSUMDB: 'off', GOTOOLCHAIN: 'local' }),
    ...(gem && { BUNDLE_MIRROR__ALL: gem }),
    ...(authorities.length > 0 && Object.fromEntries(AUTHORITY_VARIABLES.map((name) => [name, AUTHORITIES]))),
  }
  const files = {
    ...(cargo && { [CARGO_CONFIG]: cargoConfig(cargo) }),
    ...(authorities.length > 0 && { [AUTHORITIES]: `${authorities.join('\n')}\n` }),
  }
  return { env, files }
}

function cargoConfig(url: string): string {
  const registry = `sparse+${url.endsWith('/') ? url : `${url}/`}`
  return stringify({ source: { 'crates-io': { 'replace-with': 'node' }, node: { registry } } })
}

/** pip takes an index without encryption from this machine alone, unless it is named so. */
function trusted(url: string): { PIP_TRUSTED_HOST?: string } {
  const { protocol, host } = new URL(url)
  return protocol === 'http:' ? { PIP_TRUSTED_HOST: host } : {}
}
