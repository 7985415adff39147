import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFakeLightPeer } from '../../fixtures/mesh/fake-light-peer.ts'
import { openShellWithNode } from '../../fixtures/program/shell.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const PRIVATE = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const PUBLIC = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(100)}\n-----END CERTIFICATE-----\n`

async function withFolder(files: Record<string, string>, change: object = {}) {
  const shell = await openShellWithNode()
  const ports = [{ name: 'http', port: 8080, access: 'any' }]
  const run = { command: ['node', 'server.js'], ports, ...change }
  const service = { name: 'web', toolchain: ['node.js'], run }
  const all = { 'server.js': '', 'service.json': JSON.stringify(service), ...files }
  for (const [path, content] of Object.entries(all)) {
    const file = shell.path('web', path)
    mkdirSync(dirname(file), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file)
    else writeFileSync(file, content)
    if (content.startsWith('#!')) chmodSync(file, 0o755)
  }
  return shell
}

describe('N3: secrets', () => {
  test('are named and refused at a node and without one, until they are left out or meant', async () => {
    await using shell = await withFolder({ '.env': 'KEY=1\n', 'tls/key.pem': PRIVATE, 'tls/cert.pem': CERTIFICATE })
    const sentence =
      'the folder contains files that look secret, and every receiver of the code can read them: .env (settings with values), ' +
      'tls/key.pem (a private key); write "/.env", "/tls/key.pem" into .thundercloudignore, each on its own ' +
      'line, or add --with-secrets to publish them'
    const refused = await shell.run(['publish', 'web'])
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain(sentence)
    expect(shell.node.archives.size).toBe(0)
    const dry = await shell.run(['publish', 'web', '--dry-run'])
    expect([dry.code, dry.stderr]).toEqual([2, expect.stringContaining(`\`publish\` refuses this: ${sentence}`)])
    expect(dry.stdout).toContain('tls/cert.pem')
    const light = await shell.run(['publish', 'web', '--join', '/ip4/127.0.0.1/tcp/1/p2p/x'], {
      factories: { lightPeer: async (_, init) => createFakeLightPeer(init) },
    })
    expect(light.stderr).toContain(sentence)

    const meant = await shell.run(['publish', 'web', '--with-secrets'])
    expect(meant.code).toBe(0)
    expect(meant.stderr).toContain('Note: published with secrets: .env (settings with values), tls/key.pem')
    writeFileSync(shell.path('web/.thundercloudignore'), '/.env\n/tls/key.pem\n')
    expect((await shell.run(['update', 'web'])).code).toBe(0)
  })

  test.each<[string, string]>([
    ['.env', 'DB_PASSWORD=hunter2'],
    ['config/.env.production', '# live\nexport API_KEY="x"\n'],
    ['.yarnrc.yml', 'npmAuthToken: "abc"\n'],
    ['.pypirc', '[pypi]\nusername = a\npassword = b\n'],
    ['.netrc', 'machine company.com login a password b\n'],
    ['.git-credentials', 'https://name:token@company.com\n'],
    ['.pgpass', 'db:5432:app:app:secret\n'],
    ['.aws/credentials', '[default]\naws_secret_access_key = abc\n'],
    ['.docker/config.json', '{"auths":{"company.com":{"auth":"YTpi"}}}'],
    ['id_rsa', 'anything'],
    ['.ssh/id_ed25519', 'anything'],
    ['store.p12', 'binary'],
    ['server.key', PRIVATE],
    ['src/config.js', `module.exports = ${JSON.stringify({ key: PRIVATE })}`],
    ['account.json', JSON.stringify({ type: 'service_account', private_key: PRIVATE })],
    ['hub.json', JSON.stringify({ type: 'bls12-381', secret: `0x${'1f'.repeat(32)}` })],
  ])('%s is one', async (path, content) => {
    await using shell = await withFolder({ [path]: content })
    const { code, stderr } = await shell.run(['publish', 'web'])
    expect(code).toBe(2)
    expect(stderr).toContain(`${path} (`)
  })

  test('what only looks like it is none: public keys, samples, empty files, and what packages bring', async () => {
    await using shell = await withFolder({
      'cert.pem': CERTIFICATE,
      'ca/bundle.crt': CERTIFICATE.repeat(50),
      'public.pem': PUBLIC,
      '.env.example': 'KEY=your-key',
      '.env': '# nothing yet\nKEY=\n',
      '.npmrc': 'ignore-scripts=true\n//registry.company.com/:_authToken=$' + '{NPM_TOKEN}\n',
      'config.json': '{"auth":"none"}',
      'id_rsa.pub': 'ssh-rsa AAAA',
      'credentials.js': 'export const credentials = () => process.env.KEY',
      'src/pem.js': "if (text.startsWith('-----BEGIN PRIVATE KEY-----')) sign(text)",
      'node_modules/some/test/key.pem': PRIVATE,
      'node_modules/some/.env': 'REDIS_HOST=localhost',
      'lib/python3/site-packages/certifi/cacert.pem': CERTIFICATE,
    })
    const { code, stderr } = await shell.run(['publish', 'web'])
    expect([code, stderr.includes('secret')]).toEqual([0, false])
  })
})

describe('N3: a command that is not in the code', () => {
  const NPM = {
    'node_modules/.bin/tool': '-> ../tool/cli.js',
    'node_modules/tool/cli.js': '#!/usr/bin/env node\n',
    'lib/plain.js': '',
    bin: '-> node_modules/.bin',
  }
  test.each<[string[], string | undefined]>([
    [['node_modules/.bin/tool'], undefined],
    [['./node_modules/tool/cli.js', '-p', '80'], undefined],
    [['bin/tool'], undefined],
    [['/code/node_modules/.bin/tool'], undefined],
    [['node', 'lib/plain.js'], undefined],
    [['/usr/bin/env', 'node', 'server.js'], undefined],
    [['node_modules/.bin/none'], 'run.command names "node_modules/.bin/none", and the code has no such file'],
    [['node', 'main.js'], 'run.command names "main.js", and the code has no such file'],
    [['lib/plain.js'], 'run.command names "lib/plain.js", and that file of the code is not executable'],
    [['server.js'], 'run.command is "server.js", which is looked for among programs; write "./server.js"'],
  ])('%j', async (command, problem) => {
    await using shell = await withFolder(NPM, { command })
    const { code, stderr } = await shell.run(['publish', 'web'])
    expect(stderr).toContain(problem ?? '')
    expect([code, shell.node.archives.size]).toEqual(problem === undefined ? [0, 1] : [2, 0])
  })

  test('a bare name that no toolchain is known to bring is warned about, with the place where it is', async () => {
    await using shell = await withFolder(NPM, { command: ['tool', '-p', '80'] })
    const { code, stderr } = await shell.run(['publish', 'web'])
    expect(code).toBe(0)
    expect(stderr).toContain(
      'Note: run.command is "tool", and it is not known whether the toolchain node.js has this program; the code has it as ' +
        '"node_modules/.bin/tool", which works everywhere.',
    )
  })

  test('a file that is left out does not count', async () => {
    await using shell = await withFolder({ ...NPM, '.thundercloudignore': 'server.js' })
    const { stderr } = await shell.run(['publish', 'web'])
    expect(stderr).toContain(
      'run.command names "server.js", and the code has no such file (left out files count as missing',
    )
  })
})
