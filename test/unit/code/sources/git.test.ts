import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listFolder } from '../../../../src/code/archive/list-folder.ts'
import { git, gitServer } from '../../../fixtures/code/git-server.ts'
import { codeOfEntries, fetchSource } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'
import { OTHER, source } from './git-stand-in.ts'

/** A hard tree: a script without its bit, line ends that a checkout would change, what is ignored, a link, folders. */
async function repository(change?: (dir: string) => void) {
  const dir = await tempDir()
  const files: Record<string, string> = {
    'bin/run': '#!/bin/sh\n',
    'lib/deep/er.txt': 'one\ntwo\n',
    'lib/a.js': 'a\n'.repeat(2000),
    '.gitattributes': '*.txt text eol=crlf\n',
    '.gitignore': 'dist/\n',
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  symlinkSync('a.js', join(dir, 'lib/link'))
  git(dir, 'init', '-q', '-b', 'main')
  git(dir, '-c', 'core.autocrlf=false', 'add', '-A')
  git(dir, 'commit', '-qm', 'one')
  change?.(dir)
  return { dir, commit: git(dir, 'rev-parse', 'HEAD') }
}

const codeOfFolder = async (dir: string) => codeOfEntries(await listFolder(dir))

describe.skipIf(!needs('git'))('a commit of git', () => {
  test('is the code that its folder is, though it is no tip, in two requests', async () => {
    const { dir, commit } = await repository()
    const code = await codeOfFolder(dir)
    writeFileSync(join(dir, 'later'), 'x')
    git(dir, 'add', '-A')
    git(dir, 'commit', '-qm', 'two')
    const { url, asked } = await gitServer(dir)
    const { store } = await fetchSource(source(`${url}/.git`, commit), code)
    expect(store.has(code)).toBe(true)
    expect(asked).toEqual(['GET /.git/info/refs', 'POST /.git/git-upload-pack'])
  })

  test('with files that are deltas of others, however far', async () => {
    const lines = Array.from({ length: 3000 }, (_, line) => `line ${line} ${(line * 7919) % 104729}\n`)
    const { dir, commit } = await repository((root) => {
      for (let version = 0; version < 30; version++) {
        lines[version * 90] = `changed in ${version}\n`
        writeFileSync(join(root, `v${version}`), lines.join(''))
      }
      git(root, 'add', '-A')
      git(root, 'commit', '-qm', 'many')
      git(root, 'repack', '-adfq', '--depth=50')
    })
    const code = await codeOfFolder(dir)
    const { url } = await gitServer(dir)
    expect((await fetchSource(source(`${url}/.git`, commit), code)).store.has(code)).toBe(true)
  })

  test('a folder of it', async () => {
    const { dir, commit } = await repository()
    const code = await codeOfFolder(join(dir, 'lib'))
    const { url } = await gitServer(dir)
    expect((await fetchSource(source(`${url}/.git`, commit, 'lib'), code)).store.has(code)).toBe(true)
  })

  test.each<[string, (dir: string) => void, RegExp]>([
    [
      'a submodule',
      (dir) => {
        git(dir, 'submodule', '--quiet', 'add', dir, 'vendor')
        git(dir, 'commit', '-qm', 'sub')
      },
      /"vendor" is a submodule, whose files the repository does not have/,
    ],
    [
      'a pointer of LFS',
      (dir) => {
        writeFileSync(join(dir, 'big'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n')
        git(dir, 'add', 'big')
        git(dir, 'commit', '-qm', 'lfs')
      },
      /"big" is a pointer of git LFS/,
    ],
    [
      'a link out of it',
      (dir) => {
        symlinkSync('../../etc/passwd', join(dir, 'out'))
        git(dir, 'add', 'out')
        git(dir, 'commit', '-qm', 'link')
      },
      /"out" is a link to "..\/..\/etc\/passwd", which leads out of the folder/,
    ],
  ])('%s is refused by name', async (_, change, message) => {
    const { dir, commit } = await repository(change)
    const { url } = await gitServer(dir)
    await expect(fetchSource(source(`${url}/.git`, commit), OTHER)).rejects.toThrow(message)
  })

  test('a commit that is not there, and a repository that is not there', async () => {
    const { dir, commit } = await repository()
    const { url } = await gitServer(dir)
    const problem = (from: string, oid: string) =>
      fetchSource(source(from, oid), OTHER).catch((error: Error) => error.message)
    expect(await problem(`${url}/.git`, 'a'.repeat(40))).toMatch(
      /has no commit a{40}, or its server gives no single commit|says:/,
    )
    expect(await problem(`${url}/none`, commit)).toMatch(/answers 404/)
  })
})
