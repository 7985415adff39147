import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect } from 'vitest'
import { git } from '../../../fixtures/code/git-server.ts'
import { codeOf } from '../../../fixtures/code/source-server.ts'
import { test } from '../../../fixtures/program/shell.ts'
import { needs } from '../../../require.ts'

const MANIFEST = JSON.stringify({ name: 'hello', toolchain: ['node.js'], run: { command: ['node', 'a.js'] } })
const HELLO = [
  { path: 'a.js', content: 'hello\n' },
  { path: 'service.json', content: MANIFEST },
]

describe('publish --dry-run', () => {
  test('shows files, sizes and identity, and announces nothing', async ({ withNode: shell }) => {
    mkdirSync(shell.path('hello'))
    for (const { path, content } of HELLO) writeFileSync(shell.path('hello', path), content)
    const { stdout, code } = await shell.run('publish hello --dry-run')
    expect(code).toBe(0)
    expect((await shell.json('publish hello --dry-run')).values[0]).toMatchObject({ refused: [] })
    expect(stdout).toMatch(/6 B +a\.js\n/)
    expect(stdout).toContain(`the code ${await codeOf(HELLO)} (2 files, `)
    expect(stdout).toContain('\nnetwork: none\n')
    expect([shell.node.announcements, [...shell.node.archives]]).toEqual([[], []])
  })

  test('shows also what is no service yet, and ends as `publish` does where that refuses it', async ({
    withNode: shell,
  }) => {
    mkdirSync(shell.path('plain'))
    writeFileSync(shell.path('plain', 'a.js'), 'hello\n')
    const { stdout, stderr, code } = await shell.run('publish plain --dry-run')
    expect(stdout).toMatch(/6 B +a\.js\nIt would have the code bafy/)
    const reason = 'plain has no service.json; write one with `thundercloud service new NAME plain`'
    expect(stderr).toContain(`\`publish\` refuses this: ${reason}`)
    expect(code).toBe(2)
    const { values, ...ran } = await shell.json('publish plain --dry-run')
    expect(values[0]).toMatchObject({
      ...{ dryRun: true, files: [{ path: 'a.js' }], sources: [], warnings: [] },
      refused: [reason],
    })
    expect(values[0]).not.toHaveProperty('name')
    expect(ran.code).toBe(2)
    await shell.refused('publish plain', 'plain has no service.json')
    await shell.refused('publish nowhere --dry-run', 'nowhere is neither a folder nor a manifest')

    mkdirSync(shell.path('hello'))
    for (const { path, content } of HELLO) writeFileSync(shell.path('hello', path), content)
    writeFileSync(shell.path('hello', '.thundercloudignore'), 'a.js\n')
    writeFileSync(shell.path('hello', '.env'), 'TOKEN=1\n')
    const both = await shell.run('publish hello --dry-run')
    expect(both.stdout).toContain('service.json\n')
    expect(both.stderr).toMatch(/`publish` refuses this: service\.json: .*a\.js.*; and the folder contains .*\.env/)
    expect(both.code).toBe(2)
    await shell.refused('publish hello', /a\.js.*left out files count as missing/)
  })

  test('says that the manifest in the folder is code, unless it is left out', async ({ withNode: shell }) => {
    mkdirSync(shell.path('hello'))
    for (const { path, content } of HELLO) writeFileSync(shell.path('hello', path), content)
    const said = 'service.json is part of the code: with another title in it, the content id is another.'
    expect((await shell.run('publish hello --dry-run')).stdout).toContain(said)
    expect((await shell.json('publish hello --dry-run')).values[0]).toMatchObject({ manifestInCode: 'service.json' })
    writeFileSync(shell.path('hello', '.thundercloudignore'), 'service.json\n')
    const { stdout } = await shell.run('publish hello --dry-run')
    expect(stdout).toContain(`the code ${await codeOf(HELLO.filter(({ path }) => path !== 'service.json'))} (1 file, `)
    expect(stdout).not.toContain('is part of the code')
  })

  test('of many files, each folder and each package is a line, unless all are asked for', async ({
    withNode: shell,
  }) => {
    const files = [
      ...HELLO,
      ...Array.from({ length: 30 }, (_, at) => ({ path: `node_modules/@s/p/lib/f${at}.js`, content: 'x' })),
      { path: 'node_modules/q/node_modules/r/a.js', content: 'x' },
      ...Array.from({ length: 10 }, (_, at) => ({ path: `lib/deep/f${at}`, content: 'xx' })),
    ]
    for (const { path, content } of files) {
      mkdirSync(dirname(shell.path('hello', path)), { recursive: true })
      writeFileSync(shell.path('hello', path), content)
    }
    const { stdout } = await shell.run('publish hello --dry-run')
    expect(
      stdout
        .split('\n')
        .slice(1, 6)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['6 B', 'a.js'],
      ['20 B', '10 files', 'lib/'],
      ['30 B', '30 files', 'node_modules/@s/p/'],
      ['1 B', '1 file', 'node_modules/q/'],
      [expect.stringMatching(/^\d+ B$/), 'service.json'],
    ])
    expect((await shell.run('publish hello --dry-run --files')).stdout).toContain('node_modules/@s/p/lib/f29.js')
    await shell.refused('publish hello --files', '--files goes with --dry-run')
  })

  test.skipIf(!needs('git'))('names what makes another form of the folder other code', async ({ withNode: shell }) => {
    const dir = shell.path('hello')
    mkdirSync(dir)
    for (const { path, content } of HELLO) writeFileSync(`${dir}/${path}`, content)
    for (const name of ['package.json', 'package-lock.json']) writeFileSync(`${dir}/${name}`, '{}\n')
    writeFileSync(`${dir}/.env`, 'TOKEN=1\n')
    git(dir, 'init', '-q')
    git(dir, 'add', '-A')
    git(dir, 'commit', '-qm', 'one')
    writeFileSync(`${dir}/a.js`, 'hello\r\n')
    writeFileSync(`${dir}/new.js`, '')
    const { values } = await shell.json('publish hello --dry-run')
    expect(values[0]?.refused).toEqual([expect.stringMatching(/look secret.*: \.env \(.*--with-secrets/)])
    expect(values[0]?.warnings).toEqual([
      'npm leaves out package-lock.json, so a package of this folder is other code',
      'these files have other bytes than in git, so its commit is other code: a.js',
      "these files are not in git's commit, so it is other code: new.js",
    ])
    expect((await shell.run('publish hello')).code).toBe(2)
  })
})
