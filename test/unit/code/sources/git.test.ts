import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listFolder } from '../../../../src/code/archive/list-folder.ts'
import { git, gitServer } from '../../../fixtures/code/git-server.ts'
import { codeOfEntries, fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'

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

const OTHER = [{ path: 'x', content: 'x' }]
const source = (url: string, commit: string, path?: string) => ({
  type: 'git' as const,
  url,
  commit,
  ...(path && { path }),
})

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

describe('a hostile server of git', () => {
  const line = (text: string | Buffer) =>
    Buffer.concat([Buffer.from((text.length + 4).toString(16).padStart(4, '0')), Buffer.from(text)])
  const ABOUT = Buffer.concat([line('version 2\n'), line('fetch=shallow\n'), Buffer.from('0000')])
  const outcome = async (about: Page, pack: Page) => {
    const { url } = await sourceServer(() => ({
      '/r/info/refs?service=git-upload-pack': about,
      '/r/git-upload-pack': pack,
    }))
    return fetchSource(source(`${url}/r`, 'a'.repeat(40)), OTHER).then(
      () => 'taken',
      (error: Error) => error.message,
    )
  }
  const packed = (bytes: Buffer) =>
    Buffer.concat([line('packfile\n'), line(Buffer.concat([Buffer.of(1), bytes])), Buffer.from('0000')])

  test.each<[string, Page, Page, RegExp]>([
    ['speaks no version 2', line('hello\n'), '', /does not speak version 2/],
    ['is none', '<html></html>', '', /does not answer as a git server/],
    [
      'redirects to a private address',
      (response) => response.writeHead(302, { location: 'http://10.0.0.1/x/info/refs?service=git-upload-pack' }).end(),
      '',
      /10\.0\.0\.1:80 is not among the hosts/,
    ],
    [
      'redirects the second request',
      ABOUT,
      (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      /answers 302/,
    ],
    ['sends no pack', ABOUT, '0000', /has no commit/],
    [
      'sends what is no pack',
      ABOUT,
      packed(Buffer.from('PACKnothing at all')),
      /the pack of the commit cannot be read/,
    ],
    [
      'says so in words',
      ABOUT,
      Buffer.concat([line('packfile\n'), line('\x03no \x1b[31mroom\n')]),
      /the git server says: no .*room/,
    ],
    ['sends half a line', ABOUT, '00ff', /is cut/],
    [
      'sends without end',
      ABOUT,
      (response) => {
        const more = () => response.write(packed(Buffer.alloc(60_000)).subarray(0, -4), (error) => error ?? more())
        more()
      },
      /more than the 4 MiB that may be downloaded/,
    ],
  ])('that %s ends in one sentence', async (_, about, pack, message) => {
    expect(await outcome(about, pack)).toMatch(message)
  })
})
