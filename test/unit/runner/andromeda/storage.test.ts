import type { RegistryKind } from '../../../../protocols/registries.ts'
import { storage } from '../../../../src/runner/andromeda/rules/storage.ts'
import type { ReceivedSource } from '../../../../src/runner/contract.ts'
import { fails, type Given, passes, rowsOf, table } from './table.ts'

const ALLOWED_STORAGE = [
  'github.com',
  'gitlab.com',
  'pkg.go.dev',
  'crates.io',
  'npmjs.com',
  'rubygems.org',
  'getcomposer.org',
  'www.nuget.org',
  'hackage.haskell.org',
  'index.scala-lang.org',
]
const settings = { ALLOWED_STORAGE }
const https = (url: string): ReceivedSource => ({ type: 'https', url })
const git = (url: string): ReceivedSource => ({ type: 'git', url, commit: 'a'.repeat(40) })
const registry = (kind: RegistryKind): ReceivedSource => ({
  type: 'registry',
  kind,
  name: 'left-pad',
  version: '1.0.0',
})

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
  one.passes('an IPv6 address', https('https://[::1]:80/a'), { settings: { ALLOWED_STORAGE: ['::1'] } }),

  ...(['npm', 'cargo', 'go', 'gem', 'composer', 'nuget', 'hackage', 'scala'] as const).map((kind) =>
    one.passes(`the seed's list allows ${kind}`, registry(kind)),
  ),
  one.fails('a registry that is not listed', registry('pypi'), { message: /^may not download from pypi\.org:/ }),
  one.passes("the registry's own host", registry('npm'), { settings: { ALLOWED_STORAGE: ['registry.npmjs.org'] } }),
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
