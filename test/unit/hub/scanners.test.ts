import { generateKeyPairSync } from 'node:crypto'
import { chmod, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SEVERITIES } from '../../../protocols/attestation.ts'
import { MAX_FINDING, MAX_FINDINGS } from '../../../src/hub/constants.ts'
import { combineReports } from '../../../src/hub/scan-result.ts'
import { type Report, reportOf, type ScanEnd } from '../../../src/hub/scanner.ts'
import { checkFolder } from '../../../src/hub/scanners/manifest/check.ts'
import { createHosts } from '../../../src/hub/scanners/manifest/hosts.ts'
import { createKeyFinder } from '../../../src/hub/scanners/manifest/keys.ts'
import { forAll } from '../../fixtures/property.ts'
import { codeFolder } from '../../fixtures/trust/signatures.ts'
import { SCANNER } from './fake-hub.ts'

const ended = (change: Partial<ScanEnd>): ScanEnd => ({ exitCode: 0, reason: 'exit', lines: [], ...change })
const found = (...lines: string[]) => ({ exitCode: 1, lines })
const mine = (findings: string[]) => findings.map((text) => `mine: ${text}`)
const clean = (...texts: string[]): Report => ({ is: 'clean', findings: mine(texts) })
const high = (...texts: string[]) => ({ is: 'found', severity: 'high', findings: mine(texts) }) as const
const failed = (reason: string): Report => ({ is: 'failed', reason: `mine ${reason}` })
const NEITHER = 'ended with exit code 2, which means neither "nothing found" (0) nor "found" (1)'

it.each<[Partial<ScanEnd>, Report]>([
  [{}, clean()],
  [{ lines: ['by the way', ''] }, clean('by the way')],
  [found('bad'), high('bad')],
  [found('progress', '{"severity":"low","findings":["a","b",3]}'), { ...high('a', 'b'), severity: 'low' }],
  [found('a', '{"severity":"odd"}'), high('a')],
  [found('{not json'), high('{not json')],
  [
    { exitCode: 3, lines: ['why'] },
    { is: 'undecided', findings: ['mine: why'] },
  ],
  [{ exitCode: 1 }, failed('ended with exit code 1 ("found"), and named nothing that it found')],
  [{ exitCode: 2, errorLine: ' no memory\u0007 ' }, failed(`${NEITHER}: no memory\ufffd`)],
  [{ exitCode: 139 }, failed('was ended by signal 11')],
  [{ reason: 'timeout' }, failed('did not end within 10 s, and was ended')],
  [{ reason: 'flood', exitCode: 1 }, failed('wrote more than anyone reads, and was ended')],
  [{ reason: 'memory' }, failed('needed more than its 64 MiB of memory, and was ended')],
  [{ reason: 'stopped' }, failed('was ended from outside')],
])('what a scanner says: %j', (change, report) => {
  expect(reportOf(SCANNER, ended(change))).toEqual(report)
})

it('what a scanner says: is bounded and printable, whatever it writes', () => {
  const lines = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.json()), { maxLength: 100 })
  forAll(100, [lines, fc.constantFrom(0, 1, 2, 3, 139)], (written, exitCode) => {
    const report = reportOf(SCANNER, ended({ lines: written, exitCode }))
    const messages = report.is === 'failed' ? [report.reason] : report.findings
    expect(messages.length).toBeLessThanOrEqual(MAX_FINDINGS)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
    for (const text of messages) expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
    for (const text of messages) expect(text.length).toBeLessThanOrEqual(MAX_FINDING + 'mine: '.length + 100)
    if (exitCode === 2 || exitCode === 139) expect(report.is).toBe('failed')
  })
})

const anyReport = fc.oneof(
  fc.constant<Report>({ is: 'clean', findings: [] }),
  fc.constantFrom(...SEVERITIES).map((severity): Report => ({ is: 'found', severity, findings: ['x'] })),
  fc.constant<Report>({ is: 'undecided', findings: ['y'] }),
  fc.constant<Report>({ is: 'failed', reason: 'z' }),
)

it('what reports come to: safe takes all of them, unsafe one, and the worst severity is reported', () => {
  forAll(100, [fc.array(anyReport, { maxLength: 6 })], (reports) => {
    const result = combineReports(reports)
    const found = reports.flatMap((report) => (report.is === 'found' ? [report.severity] : []))
    expect(result.verdict === 'unsafe').toBe(found.length > 0)
    expect(result.verdict === 'safe').toBe(reports.length > 0 && reports.every(({ is }) => is === 'clean'))
    if (result.verdict === 'unsafe') {
      expect(found.every((one) => SEVERITIES.indexOf(one) <= SEVERITIES.indexOf(result.severity))).toBe(true)
      expect(found).toContain(result.severity)
    }
  })
})

it('what reports come to: is no attestation where no scanner looked', () => {
  expect(combineReports([])).toMatchObject({ verdict: 'none' })
})

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
  expect(notes).toEqual(['run.command is "ffmpeg", and it is not known whether the toolchain node.js has this program'])
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
