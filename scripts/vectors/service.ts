import { encodeCanonical } from '../../protocols/encoding.ts'
import { REGISTRY_KINDS } from '../../protocols/registries.ts'
import type { ServiceBody, Source } from '../../protocols/service.ts'
import { type Draft, EXPIRES, hex, ISSUED, noCbor, refuses, unhex, type VectorFile } from './kit/kit.ts'
import { fullService, PEER_MULTIADDR, smallService } from './kit/samples.ts'

const THIRTY_DAYS = 30 * 24 * 3600

export function service(): VectorFile {
  return {
    about: 'Bodies of services. `value` is the body as DAG-JSON, `id` the name of the service.',
    cases: [noCbor('service.decode'), ...valid(), ...heads(), ...texts(), ...sources(), ...runs(), ...rest()],
  }
}

function valid(): Draft[] {
  return [
    good('the least', {}),
    { ...decode('everything', fullService()) },
    good('lives 30 days', { expires: ISSUED + THIRTY_DAYS }),
    good('lives one second', { expires: ISSUED + 1 }),
    good('depth 0', { reach: { depth: 0, anchor: new Uint8Array(32) } }),
    good('depth 8', { reach: { depth: 8, anchor: new Uint8Array(32) } }),
    good('the author\u2019s key is no point: only the signature shows it', {
      author: Uint8Array.of(0xed, 1, ...new Uint8Array(32)),
    }),
    good('name of 64 characters', { name: 'n'.repeat(64) }),
    good('title of 128 bytes, 64 characters', { title: '\u00e9'.repeat(64) }),
    good('an empty argument', { run: { command: [''], kind: 'task' } }),
    good('an environment of JavaScript words', {
      run: { command: ['a'], kind: 'task', env: { constructor: '', toString: '' } },
    }),
    good('seq 2^53 - 1', { seq: Number.MAX_SAFE_INTEGER }),
  ]
}

function heads(): Draft[] {
  const small = smallService()
  const { title: _title, ...untitled } = small
  return [
    { ...decode('no map', [1]), ...refuses('shape') },
    { ...decode('null', null), ...refuses('shape') },
    { ...decode('an empty map', {}), ...refuses('shape', 'v') },
    { ...decode('a field is missing', untitled), ...refuses('shape', 'title') },
    { ...decode('a field is null', { ...small, title: null }), ...refuses('shape', 'title') },
    { ...decode('an optional field is null', { ...small, reward: null }), ...refuses('shape', 'reward') },
    bad('an unknown field', { priority: 1 }, ''),
    bad('a stop that is no stop', { stop: false }, ''),
    bad('v 2', { v: 2 }, 'v'),
    bad('author: bare key', { author: small.author.subarray(2) }, 'author'),
    bad('author: text', { author: 'someone' }, 'author'),
    bad('name: empty', { name: '' }, 'name'),
    bad('name: upper case', { name: 'Hello' }, 'name'),
    bad('name: begins with a dot', { name: '.hello' }, 'name'),
    bad('name: a slash', { name: 'a/b' }, 'name'),
    bad('name: a line feed at its end', { name: 'hello\n' }, 'name'),
    bad('name: 65 characters', { name: 'n'.repeat(65) }, 'name'),
    bad('seq: negative', { seq: -1 }, 'seq'),
    bad('seq: text', { seq: '1' }, 'seq'),
    bad('expires at issued', { expires: ISSUED }, 'expires'),
    bad('lives 30 days and a second', { expires: ISSUED + THIRTY_DAYS + 1 }, 'expires'),
    bad('reach: depth 9', { reach: { depth: 9, anchor: new Uint8Array(32) } }, 'reach.depth'),
    bad('reach: anchor of 31 bytes', { reach: { depth: 1, anchor: new Uint8Array(31) } }, 'reach.anchor'),
    bad('code: text', { code: small.code.toString() }, 'code'),
  ]
}

function texts(): Draft[] {
  return [
    bad('title: empty', { title: '' }, 'title'),
    bad('title: 130 bytes, 65 characters', { title: '\u00e9'.repeat(65) }, 'title'),
    bad('desc: 4097 bytes', { desc: 'd'.repeat(4097) }, 'desc'),
    bad('keywords: 33', { keywords: Array(33).fill('k') }, 'keywords'),
    bad('keywords: an empty one', { keywords: ['a', ''] }, 'keywords[1]'),
    bad('keywords: 65 bytes', { keywords: ['k'.repeat(65)] }, 'keywords[0]'),
    bad('toolchain: 17', { toolchain: Array(17).fill('c') }, 'toolchain'),
    bad('symbiotes: no address', { symbiotes: [unhex('00')] }, 'symbiotes[0]'),
    bad('hostchains: 33 bytes', { hostchains: ['b'.repeat(33)] }, 'hostchains[0]'),
  ]
}

function sources(): Draft[] {
  const commit = 'a'.repeat(40)
  const git = (url: string): Source => ({ type: 'git', url, commit })
  const digest = `@sha256:${'0a'.repeat(32)}`
  const images = ['node', 'library/node:26', 'registry.example/a/b', 'registry.example:5000/a__b/c-d.e'].map(
    (name) => `${name}${digest}`,
  )
  const noImages = [
    'node',
    'node:26',
    `node${digest.toUpperCase()}`,
    `node${digest}0`,
    `Node${digest}`,
    `/node${digest}`,
    `a//b${digest}`,
    `a/../b${digest}`,
    `https://a/b${digest}`,
    `node@sha512:${'0a'.repeat(32)}`,
  ]
  const urls: [string, string][] = [
    ['a user', 'https://user@github.com/a'],
    ['a fragment', 'https://github.com/a#b'],
    ['a space', 'https://github.com/a b'],
    ['beyond ASCII', 'https://github.com/\u00e9'],
    ['a host in upper case', 'https://GitHub.com/a'],
    ['a scheme in upper case', 'HTTPS://github.com/a'],
    ['another scheme', 'ssh://github.com/a'],
    ['no host', 'https:///a'],
    ['a host that ends in a dot', 'https://github.com./a'],
    ['port 0', 'https://github.com:0/a'],
    ['port 65536', 'https://github.com:65536/a'],
    ['a port with a leading zero', 'https://github.com:0443/a'],
    ['a backslash', 'https://github.com\\a'],
    ['513 bytes', `https://github.com/${'a'.repeat(494)}`],
  ]
  return [
    good('source: a port, a query, a commit of 64 digits', {
      sources: [{ type: 'git', url: 'https://git.example:65535/a?b=c&d=%20', commit: 'a'.repeat(64) }],
    }),
    ...urls.map(([name, url]) => bad(`source url: ${name}`, { sources: [git(url)] }, 'sources[0].url')),
    bad('source: a short commit', { sources: [{ ...git('https://a'), commit: 'abc1234' }] }, 'sources[0].commit'),
    bad(
      'source: a commit in upper case',
      { sources: [{ ...git('https://a'), commit: commit.toUpperCase() }] },
      'sources[0].commit',
    ),
    bad('source path: absolute', { sources: [{ ...git('https://a'), path: '/etc' }] }, 'sources[0].path'),
    bad('source path: leaves the source', { sources: [{ ...git('https://a'), path: 'a/../..' }] }, 'sources[0].path'),
    bad('source path: a backslash', { sources: [{ ...git('https://a'), path: 'a\\b' }] }, 'sources[0].path'),
    bad('source path: a zero byte', { sources: [{ ...git('https://a'), path: 'a\0' }] }, 'sources[0].path'),
    bad('source path: empty', { sources: [{ ...git('https://a'), path: '' }] }, 'sources[0].path'),
    bad('source: of an unknown type', { sources: [{ type: 'ftp', url: 'ftp://a' }] }, 'sources[0].type'),
    bad('source: a field of another type', { sources: [{ type: 'mesh', url: 'https://a' }] }, 'sources[0]'),
    ...REGISTRY_KINDS.map((kind) =>
      good(`source: a package of ${kind}`, { sources: [{ type: 'registry', kind, name: 'a:b', version: '1' }] }),
    ),
    ...[
      { kind: 'NPM' },
      { kind: 'maven' },
      { name: '' },
      { name: 'a b' },
      { name: '\u00e9' },
      { version: '1\n' },
      { version: 'v'.repeat(65) },
    ].map((change) => {
      const [field = ''] = Object.keys(change)
      const source = { type: 'registry', kind: 'npm', name: 'a', version: '1', ...change }
      return bad(`source: a package with ${JSON.stringify(change)}`, { sources: [source] }, `sources[0].${field}`)
    }),
    ...images.map((ref) => good(`source: the image ${ref.slice(0, -64)}`, { sources: [{ type: 'oci', ref }] })),
    ...noImages.map((ref) => bad(`source: no image: ${ref}`, { sources: [{ type: 'oci', ref }] }, 'sources[0].ref')),
    bad('sources: 9', { sources: Array(9).fill({ type: 'mesh' }) }, 'sources'),
  ]
}

function runs(): Draft[] {
  const run = smallService().run
  return [
    bad('run: no command', { run: { ...run, command: [] } }, 'run.command'),
    bad('run: 65 arguments', { run: { ...run, command: Array(65).fill('a') } }, 'run.command'),
    bad('run: an argument of 2049 bytes', { run: { ...run, command: ['a'.repeat(2049)] } }, 'run.command[0]'),
    bad('run: a zero byte in an argument', { run: { ...run, command: ['a\0'] } }, 'run.command[0]'),
    bad('run: kind', { run: { ...run, kind: 'daemon' } }, 'run.kind'),
    bad('run: restart', { run: { ...run, restart: 'sometimes' } }, 'run.restart'),
    good('run: an HTTP check', {
      run: { ...run, ports: [{ name: 'web', port: 80 }], check: { http: { port: 'web', path: '/health?all=1' } } },
    }),
    good('run: a check by a command', { run: { ...run, check: { command: ['node', 'check.js'] } } }),
    bad('check: none', { run: { ...run, check: {} } }, 'run.check'),
    bad('check: two', { run: { ...run, check: { command: ['a'], http: { port: 'a', path: '/' } } } }, 'run.check'),
    bad(
      'check: no port of its own',
      { run: { ...run, check: { http: { port: 'web', path: '/' } } } },
      'run.check.http.port',
    ),
    bad(
      'check: a path that begins with no slash',
      { run: { ...run, ports: [{ name: 'a', port: 1 }], check: { http: { port: 'a', path: 'health' } } } },
      'run.check.http.path',
    ),
    good('run: outputs of a task', { run: { ...run, kind: 'task', outputs: ['out', 'report.json'] } }),
    bad('outputs: of a service', { run: { ...run, kind: 'service', outputs: ['out'] } }, 'run.outputs'),
    bad('outputs: none', { run: { ...run, kind: 'task', outputs: [] } }, 'run.outputs'),
    bad(
      'outputs: 17',
      { run: { ...run, kind: 'task', outputs: Array.from({ length: 17 }, (_, i) => `o${i}`) } },
      'run.outputs',
    ),
    bad('outputs: one twice', { run: { ...run, kind: 'task', outputs: ['a', 'a'] } }, 'run.outputs'),
    bad('outputs: outside', { run: { ...run, kind: 'task', outputs: ['../a'] } }, 'run.outputs[0]'),
    good('ports: for the other runs of the service', {
      run: { ...run, ports: [{ name: 'peers', port: 9000, access: 'siblings' }] },
    }),
    bad('run: timeout 0', { run: { ...run, timeout: 0 } }, 'run.timeout'),
    bad('env: a name with =', { run: { ...run, env: { 'A=B': '' } } }, 'run.env."A=B"'),
    bad('env: a name with an escape', { run: { ...run, env: { '\u001b[31m': '' } } }, 'run.env."\\u001b[31m"'),
    bad('env: an empty name', { run: { ...run, env: { '': '' } } }, 'run.env.""'),
    bad(
      'env: a name of 65 characters',
      { run: { ...run, env: { ['A'.repeat(65)]: '' } } },
      `run.env."${'A'.repeat(61)}..."`,
    ),
    bad('env: a number', { run: { ...run, env: { A: 1 } } }, 'run.env.A'),
    bad(
      'env: 65',
      { run: { ...run, env: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`E${i}`, ''])) } },
      'run.env',
    ),
    bad('ports: 0', { run: { ...run, ports: [{ name: 'a', port: 0 }] } }, 'run.ports[0].port'),
    bad('ports: 65536', { run: { ...run, ports: [{ name: 'a', port: 65_536 }] } }, 'run.ports[0].port'),
    bad('ports: access', { run: { ...run, ports: [{ name: 'a', port: 1, access: 'all' }] } }, 'run.ports[0].access'),
    bad(
      'ports: one name twice',
      {
        run: {
          ...run,
          ports: [
            { name: 'a', port: 1 },
            { name: 'a', port: 2 },
          ],
        },
      },
      'run.ports',
    ),
    bad(
      'ports: 9',
      { run: { ...run, ports: Array.from({ length: 9 }, (_, i) => ({ name: `p${i}`, port: 80 })) } },
      'run.ports',
    ),
  ]
}

function rest(): Draft[] {
  const { resources } = smallService()
  const egress = [
    'service:other',
    '*.service:self',
    'github.com',
    'GitHub.com:443',
    'github.com:0',
    'github.com:65536',
    '*:443',
    '*.*.org:443',
    'a..b:1',
    '-a:1',
    '[::1]:443',
  ]
  const amounts = ['1.', '.5', '-1', '01', '1e3', '', '0.1234567890123456789']
  const peers = [
    '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA',
    '/ip4/1.2.3.4/tcp/1',
    '/ip4/1.2.3.4/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
  ]
  return [
    bad('resources: no memory', { resources: { ...resources, memory: 0 } }, 'resources.memory'),
    bad('resources: pids 65537', { resources: { ...resources, pids: 65_537 } }, 'resources.pids'),
    good('network: the other runs of the service', { network: ['service:self'] }),
    ...egress.map((target) => bad(`network: ${target}`, { network: [target] }, 'network[0]')),
    bad('network: 33', { network: Array(33).fill('a:1') }, 'network'),
    bad('replicas: 0', { replicas: 0 }, 'replicas'),
    bad('replicas: 1025', { replicas: 1025 }, 'replicas'),
    ...amounts.map((perHour) => bad(`reward: "${perHour}"`, { reward: { asset: 'kly', perHour } }, 'reward.perHour')),
    bad('reward: a number', { reward: { asset: 'kly', perHour: 1 } }, 'reward.perHour'),
    ...peers.map((peer) => bad(`replyTo: ${peer}`, { replyTo: [peer] }, 'replyTo[0]')),
    bad('replyTo: a space', { replyTo: [` ${PEER_MULTIADDR}`] }, 'replyTo[0]'),
    bad('replyTo: 5', { replyTo: Array(5).fill(PEER_MULTIADDR) }, 'replyTo'),
    bad('statements: 9', { statements: Array(9).fill(unhex('a0')) }, 'statements'),
    bad('credentials: text', { credentials: ['a'] }, 'credentials[0]'),
    bad('too large', { sources: [{ type: 'inline', bytes: new Uint8Array(16 * 1024) }], expires: EXPIRES }, ''),
  ]
}

function good(name: string, change: Partial<ServiceBody>): Draft {
  return decode(name, { ...smallService(), ...change })
}

function bad(name: string, change: Record<string, unknown>, field: string): Draft {
  return { ...decode(name, { ...smallService(), ...change }), ...refuses('shape', field) }
}

function decode(name: string, body: unknown): Draft {
  return { name, op: 'service.decode', bytes: hex(encodeCanonical(body)) }
}
