import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect } from 'vitest'
import { InterruptedError } from '../../../../src/cli/errors.ts'
import { git, gitServer } from '../../../fixtures/code/git-server.ts'
import { codeOf, sourceServer } from '../../../fixtures/code/source-server.ts'
import { test, withPeers } from '../../../fixtures/program/shell.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'
import { rawTar } from '../../code/raw-tar.ts'
import { ABOUT, line } from '../../code/sources/git-stand-in.ts'

const JOIN = '--join /ip4/127.0.0.1/tcp/1/p2p/12D3KooWBNxKKd8uUziV6qJZMjT5CWRjWcW7kfDrGPbDerRCEY1a --network test'
const MANIFEST = JSON.stringify({ name: 'hello', toolchain: ['node.js'], run: { command: ['node', 'a.js'] } })
const HELLO = [
  { path: 'a.js', content: 'hello\n' },
  { path: 'service.json', content: MANIFEST },
]

/** A package of npm: its files, and the registry that has it. */
async function registryOf(
  about: object,
  files: Record<string, string> = { 'cli.js': '#!/usr/bin/env node\n' },
  hash = 'sha512',
) {
  const all = { 'package.json': JSON.stringify({ name: '@s/tool', version: '1.2.3', ...about }), ...files }
  const list = Object.entries(all).map(([path, content]) => ({ path, content }))
  const tarball = gzipSync(rawTar(...list.map(({ path, content }) => ({ path: `package/${path}`, content }))))
  const integrity = hash === 'none' ? '' : `${hash}-${createHash(hash).update(tarball).digest('base64')}`
  const server = await sourceServer((url) => ({
    '/@s%2ftool/1.2.3': { version: '1.2.3', dist: { tarball: `${url}/tool.tgz`, integrity } },
    '/tool.tgz': tarball,
  }))
  const code = await codeOf(list.map((file) => ({ ...file, executable: file.content.startsWith('#!') })))
  return { ...server, code: code.toString(), env: { npm_config_registry: server.url } }
}

describe('publish --npm', () => {
  const ABOUT = { bin: './cli.js', description: 'does it', keywords: ['web', ''] }

  test('a package without dependencies: its program, its registry as a source, its code', async ({
    withNode: shell,
  }) => {
    const { code, env } = await registryOf(ABOUT)
    const words = ['publish', '--npm', '@s/tool@1.2.3', '--port', '8080', '--', '-l', '8080']
    const ran = await shell.run(words, { env })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining(`Code ${code} (2 files, `) })
    const [announced] = shell.node.announcements
    expect(announced?.signed.body).toMatchObject({
      name: 's-tool',
      title: '@s/tool 1.2.3',
      desc: 'does it',
      keywords: ['web'],
      toolchain: ['node.js'],
      run: { command: ['node', 'cli.js', '-l', '8080'], kind: 'service', ports: [{ name: 'http', port: 8080 }] },
      sources: [{ type: 'mesh' }, { type: 'registry', kind: 'npm', name: '@s/tool', version: '1.2.3' }],
    })
    expect([...shell.node.archives.keys()]).toEqual([code])
  })

  test.for([
    ['no checksum', 'none', true],
    ['only a SHA-1', 'sha1', true],
    ['a SHA-512', 'sha512', false],
  ] as const)('where the registry gives %s', async ([gives, hash, isSaid], { withNode: shell }) => {
    const { env } = await registryOf(ABOUT, undefined, hash)
    const { stderr } = await shell.run('publish --npm @s/tool@1.2.3 --dry-run', { env })
    const note = `Note: the registry gives ${gives} of the npm package @s/tool 1.2.3; the content id alone says what it is.`
    expect(stderr.includes(note)).toBe(isSaid)
  })

  test('without a node, through a peer', async ({ shell }) => {
    const { env } = await registryOf(ABOUT)
    const { peers, factories } = withPeers()
    const running = shell.json(`publish --npm @s/tool@1.2.3 ${JOIN} --timeout 1s`, { env, factories })
    expect((await running).values[0]).toMatchObject({ event: 'published', name: 's-tool', files: 2 })
    expect(peers[0]?.announcements[0]?.signed.body).toMatchObject({ run: { kind: 'task' } })
  })

  test('no node: nothing is downloaded; interrupted: what publishes it again', async ({ shell }) => {
    const { env, asked } = await registryOf(ABOUT)
    const { code } = await shell.run('publish --npm @s/tool@1.2.3', { env })
    expect([code, asked]).toEqual([expect.not.toSatisfy((value) => value === 0), []])
    const leaving = new AbortController()
    const { factories } = withPeers()
    const words = ['publish', '--npm', '@s/tool@1.2.3', ...JOIN.split(' '), '--', '-l', '80']
    const onOutput = (text: string) =>
      void (text.includes('Published') && leaving.abort(new InterruptedError('x', 130)))
    const { stderr } = await shell.run(words, { env, factories, signal: leaving.signal, onOutput })
    expect(stderr).toContain('downloading the npm package @s/tool 1.2.3\n')
    expect(stderr).toContain('`thundercloud update --npm @s/tool@1.2.3 -- -l 80`')
  })

  test.for([
    ['no program', {}, '', '@s/tool@1.2.3 has no program to run'],
    ['several programs', { bin: { a: 'cli.js', b: 'cli.js' } }, '', 'has the programs a and b; name one with --bin'],
    ['another program', { bin: { a: 'cli.js' } }, ' --bin b', 'has the program a, and not "b"; name one with --bin'],
    [
      'another program, before what it needs is installed',
      { bin: { a: 'cli.js' }, dependencies: { missing: '1.0.0' } },
      ' --bin b',
      'has the program a, and not "b"; name one with --bin',
    ],
    ['a program that is not there', { bin: 'none.js' }, '', 'names "none.js", and the code has no such file'],
    ['a program outside', { bin: '../../x.js' }, '', '../../x.js'],
  ] as const)('%s', async ([, about, more, sentence], { withNode: shell }) => {
    const { env } = await registryOf(about)
    const { code, stderr } = await shell.run(`publish --npm @s/tool@1.2.3${more}`, { env })
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)])
    expect(shell.node.announcements).toEqual([])
  })

  test.for([
    ['node, whatever ends the line', '#!/usr/bin/env node\r\n', ['node', 'cli.js']],
    ['no line at all', 'console.log(1)\n', ['node', 'cli.js']],
    ['another interpreter', '#!/bin/sh\n', ['./cli.js']],
  ] as const)('a program for %s', async ([, text, command], { withNode: shell }) => {
    const { env } = await registryOf(ABOUT, { 'cli.js': text })
    const { values } = await shell.json('publish --npm @s/tool@1.2.3 --dry-run', { env })
    expect(values[0]).toMatchObject({ command })
  })
})

test.for([
  ['publish', 'name a folder or a manifest, or a source with --npm, --git, --https or --oci'],
  ['publish a b', '"b" is one argument too many'],
  ['publish x --npm a@1.0.0 -- -l 3000', '"x" is one argument too many; arguments of its program stand after --'],
  ['publish . -- x', 'arguments after -- go with --npm'],
  ['publish --npm serve', '--npm is "serve"; name one version exactly, like serve@'],
  ['publish --npm serve@^14.0.0', 'name one version exactly'],
  ['publish --npm --dry-run', '--npm is "--dry-run"; name one version exactly, like serve@'],
  ['publish --npm file:./x@1.0.0', 'is not the name of a package of npm'],
  ['publish --npm a@1.0.0 --git https://a.example/', '--npm and --git contradict each other'],
  ['publish . --bin x', '--bin goes with --npm'],
  ['publish . --ref x', '--ref goes with --git'],
  ['publish --oci nginx:1', 'an image says nothing of its service: name a manifest'],
  ['publish . --platform linux/arm64', '--platform goes with --oci'],
  ['publish --oci a --https https://a.example/', '--https and --oci contradict each other'],
  ['publish --npm a@1.0.0 --path x', '--path goes with --git or --https'],
  ['publish --git ext::sh', 'allowed is an http(s) address'],
  ['publish --git https://a:b@c.example/', 'which every node would read'],
  ['publish --https https://c.example/x --path ../x', 'without ".."'],
] as const)('%s', async ([line, sentence], { withNode: shell }) => {
  const { code, stderr } = await shell.run(line)
  expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)])
})

describe('publish --https', () => {
  test('the manifest that is in the archive, and the folder of it that is the code', async ({ withNode: shell }) => {
    const tar = rawTar(...HELLO.map(({ path, content }) => ({ path: `x/${path}`, content })))
    const { url } = await sourceServer(() => ({ '/hello.tar': tar }))
    const { values } = await shell.json(`publish --https ${url}/hello.tar --path x`)
    expect(values[0]).toMatchObject({ code: (await codeOf(HELLO)).toString(), name: 'hello' })
    const sources = [{ type: 'mesh' }, { type: 'https', url: `${url}/hello.tar`, path: 'x' }]
    expect(shell.node.announcements[0]?.signed.body).toMatchObject({ sources })
  })

  test('a manifest here, where the archive has none; without one it says so', async ({ withNode: shell }) => {
    const { url } = await sourceServer(() => ({ '/a.tar': rawTar({ path: 'a.js', content: 'hello\n' }) }))
    await shell.refused(
      `publish --https ${url}/a.tar`,
      /has no service\.json; name the folder that has one with --path, or a manifest here: /,
      { lines: 2 },
    )
    writeFileSync(shell.path('mine.json'), MANIFEST)
    const { code } = await shell.run(`publish mine.json --https ${url}/a.tar`)
    expect(code).toBe(0)
    writeFileSync(shell.path('dir.json'), JSON.stringify({ ...JSON.parse(MANIFEST), dir: 'x' }))
    await shell.refused(`publish dir.json --https ${url}/a.tar`, /dir says where the code is/, { lines: 2 })
  })

  test('a redirect to a private address is refused, by name', async ({ withNode: shell }) => {
    const { url: inner } = await sourceServer(() => ({ '/x': 'secret' }))
    const { url } = await sourceServer(() => ({
      '/a.tar': (response) => response.writeHead(302, { location: `${inner}/x` }).end(),
    }))
    const { code, stderr } = await shell.run(`publish --https ${url}/a.tar`)
    expect([code, stderr]).toEqual([2, expect.stringMatching(/127\.0\.0\.1:\d+ is not among the hosts/)])
  })
})

describe.skipIf(!needs('git'))('publish --git', () => {
  async function repository() {
    const dir = await tempDir()
    git(dir, 'init', '-q', '-b', 'main')
    mkdirSync(`${dir}/app`)
    for (const { path, content } of HELLO) writeFileSync(`${dir}/app/${path}`, content)
    git(dir, 'add', '-A')
    git(dir, 'commit', '-qm', 'one')
    git(dir, 'tag', '-am', 'a tag with a message', 'v1')
    const first = git(dir, 'rev-parse', 'HEAD')
    writeFileSync(`${dir}/app/a.js`, 'second\n')
    git(dir, 'commit', '-qam', 'two')
    return { url: `${(await gitServer(dir)).url}/.git`, first, second: git(dir, 'rev-parse', 'HEAD') }
  }

  test('a branch, a tag, a commit and HEAD lead to the commit that is announced', async ({ withNode: shell }) => {
    const { url, first, second } = await repository()
    const commitOf = async (ref: string) => {
      const { values, stderr } = await shell.json(`publish --git ${url} --path app${ref} --dry-run`)
      expect(stderr).toBe('')
      const [, source] = (values[0]?.sources ?? []) as { commit?: string }[]
      return source?.commit
    }
    expect(await commitOf('')).toBe(second)
    expect(await commitOf(' --ref main')).toBe(second)
    expect(await commitOf(' --ref v1')).toBe(first)
    expect(await commitOf(` --ref ${first}`)).toBe(first)
    for (const ref of ['none', '-x', 'a..b', 'a\tb']) {
      const { code, stderr } = await shell.run(['publish', '--git', url, `--ref=${ref}`])
      expect([code, stderr]).toEqual([2, expect.stringMatching(/no branch or tag|is no name of a branch/)])
    }
    expect(shell.node.announcements).toEqual([])
  })

  test('a branch that moves before its commit is fetched ends in one sentence', async ({ withNode: shell }) => {
    const answers = [Buffer.concat([line(`${'a'.repeat(40)} refs/heads/main\n`), Buffer.from('0000')]), '0000']
    const { url } = await sourceServer(() => ({
      '/r/info/refs?service=git-upload-pack': ABOUT,
      '/r/git-upload-pack': (response) => response.end(answers.shift()),
    }))
    await shell.refused(`publish --git ${url}/r --ref main`, /the repository has no commit a{40}/, { lines: 2 })
  })
})

test('publish --npm --dry-run shows also a package without a program', async ({ withNode: shell }) => {
  const { code, env } = await registryOf({})
  const { values, ...ran } = await shell.json('publish --npm @s/tool@1.2.3 --dry-run', { env })
  const refused = [expect.stringMatching(/^@s\/tool@1\.2\.3 has no program to run/)]
  expect(ran.code).toBe(2)
  expect(values[0]).toMatchObject({ code, refused, files: [{ path: 'cli.js' }, { path: 'package.json' }] })
  await shell.refused('publish --npm @s/tool@1.2.3', 'has no program to run (no "bin")', { env, lines: 2 })
})
