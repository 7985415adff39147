import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { buildSettings, type ClientRegistries, readPolicy } from '../../../../src/config/index.ts'
import { buildNetwork } from '../../../../src/execution/index.ts'

const REGISTRIES = {
  'NODE.JS': ['http://localhost:4873', 'https://npm.example'],
  PYTHON: [{ URL: 'http://10.0.0.5:3141/simple', OWN_ONLY: true }],
  RUST: ['https://crates.example/index'],
  GO: ['https://go.example'],
  DOCKER: ['https://localhost:5000'],
}

function network(policy: object, { own = false, clients = {} }: { own?: boolean; clients?: ClientRegistries } = {}) {
  const found = buildNetwork(readPolicy(policy).policy.config, { own, clients })
  return { ...found, hosts: found.policy.hosts.map(({ host, port }) => `${host}:${port}`) }
}

describe('the network of a build', () => {
  it('is what REGISTRIES name, each at its own port, and nothing else', () => {
    const { hosts, policy, egress } = network({ REGISTRIES, ALLOWED_STORAGE: ['github.com', '10.0.0.0/8'] })
    expect(hosts).toEqual([
      'localhost:5000',
      'localhost:4873',
      'npm.example:443',
      'crates.example:443',
      'go.example:443',
    ])
    expect(policy.hosts.every(({ subdomains, privateAllowed }) => !subdomains && privateAllowed)).toBe(true)
    expect([policy.addresses, policy.publicPorts]).toEqual([[], undefined])
    expect(egress?.targets.map(({ host, port }) => `${host}:${port}`)).toEqual(hosts)
  })

  it('has what is for own services alone for those', () => {
    expect(network({ REGISTRIES }).env.PIP_INDEX_URL).toBeUndefined()
    const { hosts, env } = network({ REGISTRIES }, { own: true })
    expect(hosts).toContain('10.0.0.5:3141')
    expect(env).toMatchObject({ PIP_INDEX_URL: 'http://10.0.0.5:3141/simple', PIP_TRUSTED_HOST: '10.0.0.5:3141' })
  })

  it('of others has nothing at the host and port of what is for own services alone, whatever the path or the index', () => {
    const policy = {
      ALLOWED_STORAGE: ['rubygems.org'],
      REGISTRIES: {
        'NODE.JS': ['https://packages.example/open', { URL: 'https://packages.example/own', OWN_ONLY: true }],
        GO: ['https://PACKAGES.example:443/go', 'https://packages.example:8443/go'],
        DOCKER: ['https://packages.example'],
      },
    }
    const clients = { gem: 'https://packages.example/gems' }
    const { hosts, env } = network(policy, { clients })
    expect([hosts, env.GOPROXY]).toEqual([['packages.example:8443'], 'https://packages.example:8443/go'])
    expect([env.npm_config_registry, env.BUNDLE_MIRROR__ALL]).toEqual([undefined, undefined])
    expect(network(policy, { own: true, clients }).hosts).toContain('packages.example:443')
  })

  it('has the address of a client where the index is allowed and has no mirror, and not at a private address', () => {
    const clients = { npm: 'https://registry.example/', go: 'https://other.example' }
    const { hosts, policy } = network({ ALLOWED_STORAGE: ['npmjs.com'] }, { clients })
    expect([hosts, policy.hosts[0]?.privateAllowed]).toEqual([['registry.example:443'], false])
    expect(network({ ALLOWED_STORAGE: ['npmjs.com'], REGISTRIES }, { clients }).hosts).not.toContain(
      'registry.example:443',
    )
    expect(network({}, { clients }).egress).toBeUndefined()
  })

  it('tells each client so', () => {
    const { env, files } = network({ REGISTRIES })
    expect(env).toMatchObject({
      ...{ npm_config_registry: 'http://localhost:4873', GOPROXY: 'https://go.example', GOSUMDB: 'off' },
      ...{ HTTPS_PROXY: 'http://127.0.0.1:3128', NODE_USE_ENV_PROXY: '1', NO_PROXY: 'localhost,127.0.0.1,::1' },
    })
    expect(parse(files['/.cargo/config.toml'] ?? '')).toEqual({
      source: {
        'crates-io': { 'replace-with': 'node' },
        node: { registry: 'sparse+https://crates.example/index/' },
      },
    })
  })

  it('makes each client believe what this machine does, where that is more', () => {
    const { env, files } = buildSettings({}, ['one', 'two'])
    expect(new Set(Object.values(env))).toEqual(new Set(['/opt/thundercloud/authorities.pem']))
    expect([Object.keys(env).includes('CARGO_HTTP_CAINFO'), files]).toEqual([
      true,
      { '/opt/thundercloud/authorities.pem': 'one\ntwo\n' },
    ])
    expect(buildSettings({})).toEqual({ env: {}, files: {} })
  })

  it('is none where no registry is known', () => {
    expect(network({})).toMatchObject({ egress: undefined, hosts: [], env: {}, files: {} })
  })
})
