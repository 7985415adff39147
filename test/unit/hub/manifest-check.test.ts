import { generateKeyPairSync } from 'node:crypto'
import { chmod, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkFolder } from '../../../src/hub/scanners/manifest/check.ts'
import { createHosts } from '../../../src/hub/scanners/manifest/hosts.ts'
import { createKeyFinder } from '../../../src/hub/scanners/manifest/keys.ts'
import { forAll } from '../../fixtures/property.ts'
import { codeFolder } from '../../fixtures/trust/signatures.ts'

const HELLO_WEB = new URL('../../../configs/examples/hello-web', import.meta.url).pathname
const network = ['api.company.com:443', '*.cdn.company.com:443']
const service = (command: string[], more = {}) => ({ run: { command, ...more }, network, toolchain: ['node.js'] })

const ed25519 = generateKeyPairSync('ed25519').privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const pem = (key: typeof ed25519, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8', encrypt = false) =>
  String(key.export({ type, format: 'pem', ...(encrypt && { cipher: 'aes-128-cbc', passphrase: 'x' }) } as never))
const der = ed25519.export({ type: 'pkcs8', format: 'der' }).toString('latin1')
const openssh = `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(`openssh-key-v1\0${'k'.repeat(200)}`).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
const begin = (label = 'PRIVATE KEY') => `-----BEGIN ${label}-----`
const end = (label = 'PRIVATE KEY') => `-----END ${label}-----`

const keysIn = (text: string) => {
  const finder = createKeyFinder({ size: text.length })
  finder.look(text)
  return finder.found()
}

it.each([
  ['ed25519, as a node keeps it', pem(ed25519)],
  ['RSA', pem(rsa)],
  ['RSA in PKCS#1', pem(rsa, 'pkcs1')],
  ['EC in SEC1', pem(ec, 'sec1')],
  ['with a passphrase', pem(rsa, 'pkcs8', true)],
  ['with a passphrase, the old way', pem(rsa, 'pkcs1', true)],
  ['OpenSSH', openssh],
  ['in a string of source code', `const key = ${JSON.stringify(pem(ed25519))}`],
  ['in lines that are put together', pem(rsa).replaceAll(/^(.*)\n/gm, "  '$1\\n' +\n")],
  ['in the middle of a text', `${'a'.repeat(5000)}\n${pem(ec)}${'b'.repeat(5000)}`],
  ['with Windows line ends', pem(rsa).replaceAll('\n', '\r\n')],
  ['raw', der],
  ['BLS', JSON.stringify({ type: 'bls12-381', secret: `0x${'1f'.repeat(32)}` })],
  ['BLS, the other way round', JSON.stringify({ secret: `0x${'1f'.repeat(32)}`, type: 'bls12-381' }, null, 2)],
])('private keys: %s: found', (_, text) => {
  expect(keysIn(text)).toHaveLength(1)
})

it.each([
  ['the words', `if (text.startsWith('${begin()}')) throw new Error('${end()}')`],
  ['an empty one', `${begin()}\n${end()}`],
  ['a sample with dots', `${begin('RSA PRIVATE KEY')}\nMIIEpAIBAAKCAQEA...\n${end('RSA PRIVATE KEY')}`],
  ['a sample that is cut', `${begin()}\nMC4CAQAwBQYDK2VwBCIEIAAAAAAA\n${end()}`],
  ['a public key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string],
  ['letters', `${begin()}\n${'YOURKEYHERE'.repeat(8)}\n${end()}`],
  ['one that never ends', `${begin()}\n${'A'.repeat(40_000)}`],
  ['a BLS address', JSON.stringify({ type: 'bls12-381', address: `0x${'1f'.repeat(48)}` })],
])('private keys: %s: none', (_, text) => {
  expect(keysIn(text)).toEqual([])
})

it('private keys: are not found in what is random, and nothing takes long', () => {
  forAll(100, [fc.string({ unit: 'binary', maxLength: 2000 })], (text) => {
    expect(keysIn(`${begin()}\n${text}\n${end()}`)).toEqual([])
  })
  expect(keysIn(`${begin()} `.repeat(20_000))).toEqual([])
  expect(keysIn('"type":"bls12-381"'.repeat(20_000))).toEqual([])
})

const mentioned = (path: string, text: string) => {
  const hosts = createHosts(network)
  hosts.look(path, { text, first: true })
  return hosts.undeclared().map((line) => / mentions (\S+),/.exec(line)?.[1])
}
it.each<[string, string, string[]]>([
  ['a.js', 'fetch("https://other.company.com/x")', ['other.company.com:443']],
  ['a.js', 'fetch("http://api.company.com/")', ['api.company.com:80']],
  ['a.js', 'new WebSocket(`wss://live.company.com:8443/x`)', ['live.company.com:8443']],
  ['a.py', 'connect("db.company.com:5432")', ['db.company.com:5432']],
  ['a.js', 'fetch("https://API.company.com/x"); fetch("https://a.cdn.company.com")', []],
  ['a.js', '// see https://docs.somewhere.org/x', []],
  ['a.js', ' * @see https://docs.somewhere.org/x', []],
  ['a.js', 'const x = 1 // from https://docs.somewhere.org', []],
  ['a.py', '# https://docs.somewhere.org', []],
  ['a.js', 'const ns = "http://www.w3.org/2000/svg", s = "https://json-schema.org/draft"', []],
  ['a.js', 'listen("http://localhost:80"); get("http://127.0.0.1:9/"); get("https://www.example.com/")', []],
  ['README.md', 'https://other.company.com', []],
  ['LICENSE', 'https://www.apache.org/licenses', []],
  ['package.json', '{"repository":"https://github.com/x/y"}', []],
  ['lib/package-lock.json', '{"resolved":"https://registry.npmjs.org/x"}', []],
  ['a.bin', 'https://other.company.com\0', []],
  ['a.js', 'const version = "1.2.3:4"', []],
])('hosts that sources mention: %s: %s', (path, text, expected) => {
  expect(mentioned(path, text).filter((target) => !/^[\d.:]+$/.test(target ?? ''))).toEqual(expected)
})

it('a folder: is fine when it is the example', () => {
  expect(checkFolder(HELLO_WEB, service(['node', 'server.js']))).toEqual({ found: [], unfit: [], notes: [] })
})

const noFile = (name: string, key = 'command') => `run.${key} names "${name}", and the code has no such file`

it.each<[string[], Record<string, unknown>, string | undefined]>([
  [['node', 'server.js'], {}, undefined],
  [['node', '--max-old-space-size=64', 'server.js', 'other.js'], {}, undefined],
  [['node', '/code/server.js'], {}, undefined],
  [['node', '/code/none.js'], {}, noFile('/code/none.js')],
  [['node', 'none.js'], {}, noFile('none.js')],
  [['node', '-e', 'none.js'], {}, undefined],
  [['python3', '-m', 'http.server'], {}, undefined],
  [['python3', 'main.py'], {}, noFile('main.py')],
  [['./bin/tool'], {}, undefined],
  [['bin/none'], {}, noFile('bin/none')],
  [['./server.js'], {}, 'run.command names "./server.js", and that file of the code is not executable'],
  [['../../../../etc/passwd'], {}, noFile('../../../../etc/passwd')],
  [['/bin/sh'], {}, undefined],
  [['node', 'here.js'], { workdir: 'sub' }, undefined],
  [['node', 'server.js'], { workdir: 'sub' }, noFile('server.js')],
  [['node', 'x.js'], { workdir: 'none' }, 'run.workdir is "none", and the code has no such folder'],
  [['node', 'dist/made.js'], { build: ['node', 'server.js'] }, undefined],
  [['node', 'dist/made.js'], { build: ['node', 'none.js'] }, noFile('none.js', 'build')],
])('a folder: %j %j', async (command, more, problem) => {
  await using folder = await codeFolder({ 'server.js': 'x', 'sub/here.js': 'x', 'bin/tool': 'x' })
  await chmod(join(folder.dir, 'bin/tool'), 0o755)
  const { found, unfit } = checkFolder(folder.dir, service(command, more))
  expect(found).toEqual([])
  expect(unfit[0]).toBe(problem)
})

it('a folder: tells of a program that the code does not bring', async () => {
  await using folder = await codeFolder({ 'a.txt': 'x' })
  const { unfit, notes } = checkFolder(folder.dir, service(['ffmpeg', '-i', 'a.txt']))
  expect(unfit).toEqual([])
  expect(notes).toEqual(['run.command is "ffmpeg", a program that comes with the toolchain node.js or not'])
})

it('a folder: carries keys and files that run as another user: findings, wherever they are', async () => {
  await using folder = await codeFolder({
    'server.js': 'x',
    'deep/in/there/id.pem': pem(ed25519),
    // across the border of two pieces
    'large.bin': `${'\0'.repeat(2 ** 20 - 100)}${pem(rsa)}${'\0'.repeat(2 ** 20)}`,
    'bin/tool': 'x',
  })
  await chmod(join(folder.dir, 'bin/tool'), 0o6755)
  await symlink('/etc', join(folder.dir, 'etc'))
  expect(checkFolder(folder.dir, service(['node', 'server.js'])).found.toSorted()).toEqual([
    'bin/tool runs as its owner or group (setuid or setgid)',
    'deep/in/there/id.pem has a private key (private key)',
    'large.bin has a private key (private key)',
  ])
})

it('a folder: follows a link to a program of the code, and none that leads out of it', async () => {
  await using folder = await codeFolder({ 'lib/tool.js': 'x', 'server.js': 'x' })
  await chmod(join(folder.dir, 'lib/tool.js'), 0o755)
  await symlink('lib', join(folder.dir, 'bin'))
  await symlink('lib/tool.js', join(folder.dir, 'tool'))
  await symlink('/bin/sh', join(folder.dir, 'out'))
  const unfit = (command: string[]) => checkFolder(folder.dir, service(command)).unfit
  for (const command of ['./tool', 'bin/tool.js', '/code/tool']) expect(unfit([command]), command).toEqual([])
  expect(unfit(['./out'])).toEqual([noFile('./out')])
  const program = 'run.command is "server.js", which is looked for among programs; write "./server.js"'
  expect(unfit(['server.js'])).toEqual([program])
})

it('a folder: needs a description', () => {
  for (const nothing of [undefined, null, 'x', {}, { run: { command: 'node' } }, { run: { command: [] } }]) {
    expect(() => checkFolder(HELLO_WEB, nothing)).toThrow('names no command')
  }
})
