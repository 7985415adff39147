import { storage } from '../../../../src/runner/andromeda/rules/storage.ts'
import type { ReceivedSource } from '../../../../src/runner/contract.ts'
import { type Case, table } from './table.ts'

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
const registry = (kind: string): ReceivedSource => ({ type: 'registry', kind, name: 'left-pad', version: '1.0.0' })

const one = (says: string, outcome: Case['outcome'], source: ReceivedSource, more: Partial<Case> = {}): Case => ({
  says,
  outcome,
  settings,
  service: { sources: [source] },
  ...more,
})
const passes = (url: string) => one(`${url} passes`, 'pass', https(url))
const fails = (url: string) => one(`${url} fails`, 'fail', https(url))

table(storage, [
  one('peers need no entry', 'pass', { type: 'mesh' }, { settings: {} }),
  one('inline code needs no entry', 'pass', { type: 'inline', sizeBytes: 10 }, { settings: {} }),
  { says: 'no source at all: peers are asked', outcome: 'pass', service: { sources: [] } },

  ...[
    'https://github.com/a/b',
    'https://codeload.github.com/a.tgz',
    'https://GitHub.com./a',
    'https://github.com:8443/a',
  ].map(passes),
  passes('https://user:secret@github.com/a'),
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
  ].map(fails),
  one('git by its host', 'pass', git('https://gitlab.com/a/b.git'), { message: 'the code may come from gitlab.com' }),
  one('git elsewhere', 'fail', git('https://git.example.org/a'), {
    message: 'may not download from git.example.org: not in ALLOWED_STORAGE',
    needs: {
      field: 'sources',
      must: 'one-of',
      value:
        'crates.io, getcomposer.org, github.com, gitlab.com, hackage.haskell.org, index.scala-lang.org, mesh, npmjs.com',
    },
  }),
  one('an international name, listed as people write it', 'pass', https('https://xn--bcher-kva.example/a'), {
    settings: { ALLOWED_STORAGE: ['Bücher.example.'] },
  }),
  one('an address, exactly', 'pass', https('https://10.0.0.1/a'), { settings: { ALLOWED_STORAGE: ['10.0.0.1'] } }),
  one("an address is nobody's subdomain", 'fail', https('https://127.0.0.1/a'), {
    settings: { ALLOWED_STORAGE: ['0.1'] },
  }),
  one('an address in another spelling', 'fail', https('https://2130706433/a'), {
    settings: { ALLOWED_STORAGE: ['2130706434'] },
  }),
  one('an IPv6 address', 'pass', https('https://[::1]:80/a'), { settings: { ALLOWED_STORAGE: ['::1'] } }),

  ...['npm', 'NPM', 'cargo', 'crates.io', 'go', 'gem', 'composer', 'nuget', 'hackage', 'scala'].map((kind) =>
    one(`the seed's list allows ${kind}`, 'pass', registry(kind)),
  ),
  one('a registry that is not listed', 'fail', registry('pypi'), { message: /^may not download from pypi\.org:/ }),
  one('an unknown registry', 'fail', registry('constructor'), { message: /the unknown registry "constructor"/ }),
  one("the registry's own host", 'pass', registry('npm'), { settings: { ALLOWED_STORAGE: ['registry.npmjs.org'] } }),
  one('a mirror', 'pass', registry('npm'), {
    settings: { REGISTRIES: { 'NODE.JS': ['https://localhost:4873'] } },
    message: 'the code may come from a mirror for node.js',
  }),
  one('an empty list of mirrors', 'fail', registry('pypi'), { settings: { REGISTRIES: { PYTHON: [] } } }),
  one('a mirror for another toolchain', 'fail', registry('pypi'), {
    settings: { REGISTRIES: { 'NODE.JS': ['https://localhost:4873'] } },
  }),

  one('an image', 'pass', { type: 'oci', ref: 'ghcr.io/a/b@sha256:0' }, { settings: { ALLOWED_STORAGE: ['ghcr.io'] } }),
  one("Docker's own registry", 'fail', { type: 'oci', ref: 'library/node' }, { message: /from docker\.io:/ }),
  one(
    'an image from a mirror',
    'pass',
    { type: 'oci', ref: 'library/node' },
    {
      settings: { REGISTRIES: { DOCKER: ['https://localhost:5000'] } },
    },
  ),
  {
    says: 'one of two may be used',
    outcome: 'pass',
    settings,
    service: { sources: [https('https://evil.io/'), git('https://github.com/a/b')] },
    message: 'the code may come from github.com',
  },
  {
    says: 'neither of two may be used',
    outcome: 'fail',
    settings: {},
    service: { sources: [https('https://z.example/'), git('https://github.com/a/b')] },
    message: 'may not download from github.com, z.example: not in ALLOWED_STORAGE',
    needs: { field: 'sources', must: 'one-of', value: 'mesh' },
  },
])
