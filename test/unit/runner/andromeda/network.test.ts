import { expect, it } from 'vitest'
import type { RegistryKind } from '../../../../protocols/registries.ts'
import { readPolicy } from '../../../../src/config/index.ts'
import { decideNetwork } from '../../../../src/runner/andromeda/network-grant.ts'
import { network } from '../../../../src/runner/andromeda/rules/network.ts'
import { storage } from '../../../../src/runner/andromeda/rules/storage.ts'
import type { ReceivedSource } from '../../../../src/runner/contract.ts'
import type { AvailableExecutor } from '../../../../src/runner/index.ts'
import { snapshotOf, verdictOf } from '../../../fixtures/runner/runners.ts'
import { fails, type Given, passes, rowsOf, table } from './table.ts'

const able = (...networks: ('allowlist' | 'open')[]) => ({
  capacity: { ...snapshotOf().capacity, executors: [{ name: 'docker' as const, networks }] },
})
const both = able('allowlist', 'open')
const asks = rowsOf((NETCAP: object, asked: string[], more: Given = {}) => ({
  ...{ settings: { NETCAP }, service: { network: asked }, node: both },
  ...more,
}))
const list = (...ALLOW: string[]) => ({ MODE: 'allowlist', ALLOW })

table(network, [
  passes('asks for none', { message: 'asks for no network' }),
  asks.fails('NETCAP {} grants nothing', {}, ['api.github.com:443'], {
    message: 'asks for api.github.com:443, and NETCAP grants no network',
    needs: ['network', 'be', 'empty'],
  }),
  asks.passes('exactly what is listed', list('api.github.com:443'), ['api.github.com:443']),
  asks.fails('another port', list('api.github.com:443'), ['api.github.com:80'], {
    message: 'asks for api.github.com:80: NETCAP.ALLOW does not cover it',
    needs: ['network', 'be', 'without api.github.com:80'],
  }),
  asks.fails(
    'one of two is not listed',
    list('a.example.org:1', '*.b.example.org:2'),
    ['x.b.example.org:2', 'evil.io:443'],
    { message: 'asks for evil.io:443: NETCAP.ALLOW does not cover it', reasons: 1 },
  ),
  asks.passes('below a wildcard', list('*.example.org:443'), ['a.example.org:443', 'b.a.example.org:443']),
  asks.passes('a narrower wildcard', list('*.example.org:443'), ['*.a.example.org:443']),
  asks.passes('the wildcard itself', list('*.example.org:443'), ['*.example.org:443']),
  asks.fails('a wider wildcard', list('*.a.example.org:443'), ['*.example.org:443']),
  asks.fails('a wildcard where one name is listed', list('a.example.org:443'), ['*.example.org:443']),
  asks.fails('not below, only alike', list('*.example.org:443'), ['evilexample.org:443']),
  asks.fails("a wildcard's own base", list('*.example.org:443'), ['example.org:443']),
  asks.fails('a port that is not among PORTS', { ...list('a.example.org:22'), PORTS: [443] }, ['a.example.org:22'], {
    message: 'asks for a.example.org:22: port 22 is not in NETCAP.PORTS',
  }),
  asks.fails('service:self where it is not listed', list('a.b:443'), ['service:self'], {
    message: 'asks for service:self: NETCAP.ALLOW does not cover it',
  }),
  asks.fails('service:self without a network', {}, ['service:self']),
  asks.passes('service:self where it is listed', list('service:self'), ['service:self']),
  asks.passes('service:self, which has no port', { ...list('service:self'), PORTS: [443] }, ['service:self']),
  asks.passes('open: service:self', { MODE: 'open' }, ['service:self', 'a.b:443']),
  asks.passes('open: any public name', { MODE: 'open' }, ['a.example.org:22', '*.example.net:1', '8.8.8.8:53']),
  ...[
    ...['localhost:80', '127.0.0.1:80', '10.1.2.3:80', '172.31.0.1:80', '192.168.0.1:80', '169.254.169.254:80'],
    ...['0.0.0.0:80', '2130706433:80', '0x7f.1:80', '100.64.0.1:80'],
    ...['printer.local:80', 'db:5432', 'metadata.google.internal:80'],
  ].map((target) => asks.fails(`open: not ${target}`, { MODE: 'open' }, [target], { message: /it is no public name/ })),
  asks.passes('open: a private one that is listed', { MODE: 'open', ALLOW: ['10.1.2.3:80'] }, ['10.1.2.3:80']),
  asks.fails(
    'more is refused than a receipt should hold',
    list('x.y:1'),
    Array.from({ length: 9 }, (_, i) => `h${i}.z:1`),
    { reasons: 4 },
  ),
  asks.fails('no executor grants network', list('a.b:443'), ['a.b:443'], {
    node: able(),
    message: 'asks for a.b:443, which NETCAP allows, and the executors here grant no network',
    needs: ['network', 'be', 'empty'],
  }),
  asks.fails('no executor says what it grants', { MODE: 'open' }, ['a.b:443'], { node: {} }),
  asks.fails('an executor that can only grant all is not for a list', list('a.b:443'), ['a.b:443'], {
    node: able('open'),
  }),
  asks.passes('no executor at all: the rule "toolchain" says so', list('a.b:443'), ['a.b:443'], {
    node: { capacity: { ...snapshotOf().capacity, executors: [] } },
  }),
])

const granted = (NETCAP: object, asked: string[], executors: AvailableExecutor[], MODES = {}) => {
  const capacity = { ...snapshotOf().capacity, executors }
  const { run } = verdictOf({ NETCAP, MODES }, { network: asked }, { capacity })
  return run === false ? false : { on: run.executor, ...run.network }
}
const all: AvailableExecutor = { name: 'docker', networks: ['allowlist', 'open'] }

it('the network of a grant: is what was asked for, not what is allowed', () => {
  const NETCAP = { ...list('*.b.c:443', 'd.e:1'), RATE_KBPS: 8000 }
  expect(granted(NETCAP, ['a.b.c:443'], [all])).toEqual({
    on: 'docker',
    mode: 'allowlist',
    allow: ['a.b.c:443'],
    rateKbps: 8000,
  })
  expect(granted(NETCAP, [], [all])).toEqual({ on: 'docker', mode: 'none' })
})

it('the network of a grant: is open only where NETCAP is, nothing narrows it, and the executor can', () => {
  expect(granted({ MODE: 'open' }, ['a.b:443'], [all])).toEqual({ on: 'docker', mode: 'open' })
  expect(granted({ MODE: 'open', PORTS: [443] }, ['a.b:443'], [all])).toMatchObject({ allow: ['a.b:443'] })
  expect(granted({ MODE: 'open' }, ['a.b:443'], [{ name: 'docker', networks: ['allowlist'] }])).toMatchObject({
    mode: 'allowlist',
    allow: ['a.b:443'],
  })
  expect(granted({ MODE: 'open', ALLOW: ['10.0.0.1:1'] }, ['10.0.0.1:1', 'a.b:443'], [all])).toMatchObject({
    allow: ['10.0.0.1:1', 'a.b:443'],
  })
})

it('the network of a grant: comes from the executor that can grant it, though another is preferred', () => {
  const executors: AvailableExecutor[] = [{ name: 'docker' }, { name: 'host', networks: ['allowlist'] }]
  expect(granted(list('a.b:443'), ['a.b:443'], executors)).toMatchObject({ on: 'host', mode: 'allowlist' })
  expect(granted(list('a.b:443'), [], executors)).toMatchObject({ on: 'docker', mode: 'none' })
})

it('the network of a grant: is never wider than NETCAP where the rule only warns', () => {
  const MODES = { network: 'warn' }
  expect(granted(list('a.b:443'), ['a.b:443', 'evil.io:443'], [all], MODES)).toMatchObject({ allow: ['a.b:443'] })
  expect(granted({}, ['evil.io:443'], [all], MODES)).toMatchObject({ mode: 'none' })
  expect(granted(list('a.b:443'), ['a.b:443'], [{ name: 'docker' }], MODES)).toMatchObject({ mode: 'none' })
})

const ALLOWED_STORAGE = [
  ...['github.com', 'gitlab.com', 'pkg.go.dev', 'crates.io', 'npmjs.com', 'rubygems.org', 'getcomposer.org'],
  ...['www.nuget.org', 'hackage.haskell.org', 'index.scala-lang.org'],
]
const settings = { ALLOWED_STORAGE }
const https = (url: string): ReceivedSource => ({ type: 'https', url })
const git = (url: string): ReceivedSource => ({ type: 'git', url, commit: 'a'.repeat(40) })
const pack = { type: 'registry', name: 'left-pad', version: '1.0.0' } as const
const registry = (kind: RegistryKind): ReceivedSource => ({ ...pack, kind })
const addressOf = (kind: RegistryKind) => ({ clientRegistries: { [kind]: 'https://mirror.example/' } })
const OWN_MIRROR = { NODE: [{ URL: 'https://localhost:4873', OWN_ONLY: true }] }

const one = rowsOf((source: ReceivedSource, more: Given = {}) => ({
  settings,
  service: { sources: [source] },
  ...more,
}))

table(storage, [
  one.passes('peers need no entry', { type: 'mesh' }, { settings: {} }),
  one.passes('inline code needs no entry', { type: 'inline', sizeBytes: 10 }, { settings: {} }),
  passes('no source at all: peers are asked', { service: { sources: [] } }),

  ...[
    'https://github.com/a/b',
    'https://codeload.github.com/a.tgz',
    'https://GitHub.com./a',
    'https://github.com:8443/a',
    'https://user:secret@github.com/a',
  ].map((url) => one.passes(`${url} passes`, https(url))),
  ...[
    'https://evilgithub.com/a',
    'https://github.com.evil.io/a',
    'https://github.com@evil.io/a',
    'https://github.com%2eevil.io/a',
    'https://evil.io/github.com',
    'https://evil.io#github.com',
    'https://evil.io\\@github.com/',
    'https://github.com\\@evil.io/',
    'https://git\thub.com/',
    'https://com/',
    'https://xn--gthub-n4a.com/',
    'https://gіthub.com/',
    'ftp://github.com/a',
    'no address',
  ].map((url) => one.fails(`${url} fails`, https(url))),
  one.passes('git by its host', git('https://gitlab.com/a/b.git'), { message: 'the code may come from gitlab.com' }),
  one.fails('git elsewhere', git('https://git.example.org/a'), {
    message: 'may not download from git.example.org: not in ALLOWED_STORAGE',
    needs: [
      'sources',
      'one-of',
      'crates.io, getcomposer.org, github.com, gitlab.com, hackage.haskell.org, index.scala-lang.org, mesh, npmjs.com',
    ],
  }),
  one.passes('an international name, listed as people write it', https('https://xn--bcher-kva.example/a'), {
    settings: { ALLOWED_STORAGE: ['Bücher.example.'] },
  }),
  one.passes('an address, exactly', https('https://10.0.0.1/a'), { settings: { ALLOWED_STORAGE: ['10.0.0.1'] } }),
  one.fails("an address is nobody's subdomain", https('https://127.0.0.1/a'), {
    settings: { ALLOWED_STORAGE: ['0.1'] },
  }),
  one.fails('an address in another spelling', https('https://2130706433/a'), {
    settings: { ALLOWED_STORAGE: ['2130706434'] },
  }),
  one.passes('a range of addresses', https('https://10.9.8.7/a'), { settings: { ALLOWED_STORAGE: ['10.9.0.0/16'] } }),
  one.fails('an address beside the range', https('https://10.8.0.1/a'), {
    settings: { ALLOWED_STORAGE: ['10.9.0.0/16'] },
  }),
  one.fails('a name for a range', https('https://a.example/a'), { settings: { ALLOWED_STORAGE: ['10.9.0.0/16'] } }),
  one.passes('a range of IPv6', https('https://[fd00::7]/a'), { settings: { ALLOWED_STORAGE: ['fd00::/8'] } }),
  one.passes('an IPv6 address', https('https://[::1]:80/a'), { settings: { ALLOWED_STORAGE: ['::1'] } }),

  ...(['npm', 'cargo', 'go', 'gem', 'composer', 'nuget', 'hackage', 'scala'] as const).map((kind) =>
    one.passes(`the seed's list allows ${kind}`, registry(kind), { node: addressOf(kind) }),
  ),
  one.fails('a registry that is not listed', registry('pypi'), { message: /^may not download from pypi\.org:/ }),
  one.passes("the registry's own host", registry('npm'), {
    settings: { ALLOWED_STORAGE: ['registry.npmjs.org'] },
    node: addressOf('npm'),
  }),
  one.fails('an index that is listed, and has no address here', registry('cargo'), {
    node: addressOf('npm'),
    message: 'no address of the cargo registry is known: name one in REGISTRIES.RUST of config.json',
  }),
  one.passes('a mirror for own services, and the own address', registry('npm'), {
    settings: { REGISTRIES: OWN_MIRROR },
    service: { author: snapshotOf().own, sources: [registry('npm')] },
  }),
  one.fails('a mirror for own services, and a stranger', registry('npm'), {
    settings: { ALLOWED_STORAGE, REGISTRIES: OWN_MIRROR },
    service: { author: 'a stranger', sources: [registry('npm')] },
    message: /^no address of the npm .* serve this node's own services alone$/,
  }),
  one.passes('a mirror', registry('npm'), {
    settings: { REGISTRIES: { 'NODE.JS': ['https://localhost:4873'] } },
    message: 'the code may come from a mirror of REGISTRIES.NODE.JS',
  }),
  one.fails('an empty list of mirrors', registry('pypi'), { settings: { REGISTRIES: { PYTHON: [] } } }),
  one.fails('a mirror for another toolchain', registry('pypi'), {
    settings: { REGISTRIES: { 'NODE.JS': ['https://localhost:4873'] } },
  }),

  one.passes('an image', { type: 'oci', ref: 'ghcr.io/a/b@sha256:0' }, { settings: { ALLOWED_STORAGE: ['ghcr.io'] } }),
  one.fails("Docker's own registry", { type: 'oci', ref: 'library/node' }, { message: /from docker\.io:/ }),
  one.passes(
    'an image from a mirror',
    { type: 'oci', ref: 'library/node' },
    { settings: { REGISTRIES: { DOCKER: ['https://localhost:5000'] } } },
  ),
  passes('one of two may be used', {
    settings,
    service: { sources: [https('https://evil.io/'), git('https://github.com/a/b')] },
    message: 'the code may come from github.com',
  }),
  fails('neither of two may be used', {
    settings: {},
    service: { sources: [https('https://z.example/'), git('https://github.com/a/b')] },
    message: 'may not download from github.com, z.example: not in ALLOWED_STORAGE',
    needs: ['sources', 'one-of', 'mesh'],
  }),
])

it.each([
  ['service:self alone is never an open grant', ['service:self'], { mode: 'allowlist', allow: ['service:self'] }],
  ['beside a public name it is', ['service:self', 'a.b:443'], { mode: 'open' }],
])('open: %s', (_, asked, grant) => {
  const { NETCAP } = readPolicy({ NETCAP: { MODE: 'open' } }).policy.config
  expect(decideNetwork(asked, NETCAP).grant).toEqual(grant)
})
