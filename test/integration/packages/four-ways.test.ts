import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { git, gitServer } from '../../fixtures/code/git-server.ts'
import { installPackages } from '../../fixtures/code/packages.ts'
import { makeCertificates, tlsServer } from '../../fixtures/code/tls-server.ts'
import { startVerdaccio } from '../../fixtures/code/verdaccio.ts'
import { eventually, ON_HOST, test } from '../../fixtures/node/mesh.ts'
import { runProgram } from '../../fixtures/program/process.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const NODES = 10
const RUN = { command: ['node', 'lib/main.js'], kind: 'task' }
const FILES: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'hard-tree', version: '1.0.0', bin: 'bin/run', description: 'a hard tree' }),
  // executable by its content alone
  'bin/run': '#!/usr/bin/env node\nrequire("../lib/main.js")\n',
  'lib/main.js': 'console.log("done")\n',
  // line ends that a checkout would change
  'lib/deep/er/text.txt': 'one\ntwo\n',
  // executable in the index, and not on the disk
  'lib/data.json': '{}\n',
  'lib/private.txt': 'for the owner\n',
  '.gitattributes': '*.txt text eol=crlf\n',
  '.gitignore': 'dist/\n*.log\n',
  'dist/built.js': 'left out\n',
  'noise.log': 'left out\n',
}

/** A work tree of git with a commit in it. `sources`: where else its code is, as its service says. */
async function hardTree(sources: readonly object[] = []): Promise<string> {
  const dir = join(await tempDir(), 'tree')
  const service = {
    name: 'hard-tree',
    toolchain: ['node.js'],
    run: RUN,
    sources: [{ type: 'mesh' }, ...sources],
    resources: { memory: '64MiB' },
  }
  for (const [path, text] of Object.entries({ ...FILES, 'service.json': JSON.stringify(service) })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text, { mode: 0o644 })
  }
  chmodSync(join(dir, 'lib/private.txt'), 0o600)
  git(dir, 'init', '-q', '-b', 'main')
  git(dir, '-c', 'core.autocrlf=false', 'add', '-A')
  git(dir, 'update-index', '--chmod=+x', 'lib/data.json')
  git(dir, 'commit', '-qm', 'a hard tree')
  return dir
}

/** Of its files as they are: without what git leaves out. */
const tgzOf = (tree: string) =>
  execFileSync('tar', ['cz', '--exclude=.git', '--exclude=dist', '--exclude=*.log', 'tree'], { cwd: dirname(tree) })

/** The real program, in a home of its own. */
async function author(env: Record<string, string> = {}) {
  const home = await tempDir()
  const own = { HOME: home, XDG_CONFIG_HOME: join(home, 'settings'), ...env }
  return async (...argv: string[]) => {
    const program = runProgram(argv, { env: own })
    const code = await program.ended()
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${program.stderr}`)
    return program.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

describe.skipIf(!needs('git') || !needs('registry'))('one tree', () => {
  let packages: string
  beforeAll(async () => {
    packages = await installPackages()
  }, 240_000)
  afterAll(() => rm(packages, { recursive: true, force: true }))

  test('is the same code from a folder, git, npm and an archive', { timeout: 300_000 }, async () => {
    const tree = await hardTree()
    const certificates = makeCertificates(await tempDir(), ['127.0.0.1', 'localhost'])
    const registry = await startVerdaccio(packages, await tempDir(), { https: certificates })
    await registry.publish(tree)
    const dependent = await tempDir()
    const needing = { name: 'dependent', version: '1.0.0', bin: 'cli.js', dependencies: { 'hard-tree': '1.0.0' } }
    writeFileSync(join(dependent, 'package.json'), JSON.stringify(needing))
    writeFileSync(join(dependent, 'cli.js'), '#!/usr/bin/env node\nrequire("hard-tree/lib/main.js")\n')
    await registry.publish(dependent)
    const https = await tlsServer(certificates, { '/tree.tgz': tgzOf(tree) })
    const repository = await gitServer(tree)
    const run = await author({ npm_config_registry: registry.url, NODE_EXTRA_CA_CERTS: certificates.ca })
    const codeOf = async (...words: string[]) => (await run('publish', ...words, '--dry-run', '--json'))[0]?.code

    const code = await codeOf(tree)
    expect(await codeOf('--git', `${repository.url}/.git`)).toBe(code)
    expect(await codeOf('--npm', 'hard-tree@1.0.0')).toBe(code)
    expect(await codeOf('--https', `${https.url}/tree.tgz`, '--path', 'tree')).toBe(code)

    // an authority that is not the person's own is none
    const stranger = await author({ npm_config_registry: registry.url })
    for (const source of [
      ['--https', `${https.url}/tree.tgz`],
      ['--npm', 'hard-tree@1.0.0'],
    ]) {
      await expect(stranger('publish', ...source, '--dry-run')).rejects.toThrow('certificate')
    }

    if (needs('bubblewrap')) {
      const [found] = await run('publish', '--npm', 'dependent@1.0.0', '--dry-run', '--json')
      const paths = ((found?.files ?? []) as { path: string }[]).map(({ path }) => path)
      expect(paths).toContain('node_modules/hard-tree/lib/main.js')
      expect(paths).not.toContain('node_modules/.package-lock.json')
      expect(found).toMatchObject({
        command: ['node', 'node_modules/dependent/cli.js'],
        sources: [{ type: 'mesh' }],
      })
    }
  })

  test.skipIf(!needs('bubblewrap'))(
    'is downloaded once from git, npm and an archive, by its publisher; ten nodes and a late one have it from peers',
    { timeout: 300_000 },
    async ({ mesh }) => {
      const registry = await startVerdaccio(packages, await tempDir())
      const certificates = makeCertificates(await tempDir(), ['127.0.0.1'])
      const archives: Record<string, Uint8Array> = {}
      const https = await tlsServer(certificates, archives)
      const tree = await hardTree([
        { type: 'registry', kind: 'npm', name: 'hard-tree', version: '1.0.0' },
        { type: 'https', url: `${https.url}/tree.tgz`, path: 'tree' },
      ])
      archives['/tree.tgz'] = tgzOf(tree)
      await registry.publish(tree)
      registry.asked.length = 0
      const repository = await gitServer(tree)

      const run = await author({ npm_config_registry: registry.url, NODE_EXTRA_CA_CERTS: certificates.ca })
      const [key] = await run('key', 'new', '--json')
      const runner = {
        ...ON_HOST,
        TRUST_TREE: { ROOTS: { [key?.address as string]: {} } },
        ALLOWED_STORAGE: ['127.0.0.1'],
        REGISTRIES: { 'NODE.JS': [registry.url] },
      }
      const first = await mesh.start('node-0', { runner })
      const nodes = [first]
      for (let at = 1; at < NODES; at++) nodes.push(await mesh.join(`node-${at}`, first, { runner }))

      const to = first.multiaddrs().flatMap((address) => ['--join', address])
      const publish = async (...words: string[]) => await run('publish', ...words, '--json')
      const [fromNpm] = await publish('--npm', 'hard-tree@1.0.0', '--dry-run')
      const [fromArchive] = await publish('--https', `${https.url}/tree.tgz`, '--path', 'tree', '--dry-run')
      const source = ['--git', `${repository.url}/.git`, '--replicas', `${NODES}`]
      const lines = await publish(...source, ...to, '--network', mesh.network, '--timeout', '3m')
      const { id } = lines.find(({ event }) => event === 'published') as { id: string }
      await eventually(() => expect(nodes.map((node) => node.service(id).state)).toEqual(nodes.map(() => 'done')))
      const { code } = first.service(id)
      expect([fromNpm?.code, fromArchive?.code]).toEqual([code, code])
      const asked = () => ({
        git: repository.asked,
        npm: registry.asked,
        archive: https.asked,
        // also of those who do not believe its certificate
        connections: https.connections(),
      })
      const byThePublisher = {
        // which commit HEAD is, and the commit
        git: ['GET /.git/info/refs', 'POST /.git/git-upload-pack', 'POST /.git/git-upload-pack'],
        // what the version is, and its file
        npm: ['/hard-tree/1.0.0', '/hard-tree/-/hard-tree-1.0.0.tgz'],
        archive: ['/tree.tgz'],
        connections: 1,
      }
      expect(asked()).toEqual(byThePublisher)

      // the publisher was a peer for a minute, and the servers go too
      await repository.close()
      await registry.stop()
      https.close()
      const late = await mesh.join('late', nodes.at(-1) as (typeof nodes)[number], { runner })
      // all replicas are done: it runs nothing, and has the code for its operator
      await eventually(() => expect(late.services().map((service) => service.id)).toContain(id))
      expect((await late.code.fetch(code)).code).toBe(code)
      expect(asked()).toEqual(byThePublisher)
    },
  )
})
