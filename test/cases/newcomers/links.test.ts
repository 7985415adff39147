import { execFile } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type CID, sha256 } from '../../../protocols/encoding.ts'
import type { ArchiveManifest } from '../../../protocols/streams/archive.ts'
import { tars } from '../../../scripts/vectors/archive-tar.ts'
import { createManifest as describeArchive } from '../../../src/code/archive/chunks.ts'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import type { TarLink } from '../../../src/code/archive/tar-format.ts'
import { packEntries } from '../../../src/code/archive/tar-write.ts'
import { BadArchiveError } from '../../../src/code/errors.ts'
import { makeLinks } from '../../../src/code/unpack/make-links.ts'
import { checkUnpacked, unpackArchive } from '../../../src/code/unpack/unpack.ts'
import { MIB, once, testCode, testStore } from '../../fixtures/code/stores.ts'
import { system } from '../../fixtures/system.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const run = promisify(execFile)
const options = { clock: system.clock, limits: { maxEntries: 1000, maxBytes: 64 * MIB } }

/** Path -> content; a content that begins with "-> " is a link. */
async function write(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    if (content.startsWith('-> ')) await symlink(content.slice(3), join(dir, path))
    else await writeFile(join(dir, path), content)
  }
}

/** As npm leaves a folder behind. */
const NPM = {
  'service.json': '{}',
  'node_modules/.bin/tool': '-> ../tool/bin/tool.js',
  'node_modules/.bin/other': '-> ../@scope/other/cli.js',
  'node_modules/tool/bin/tool.js': '#!/usr/bin/env node\nconsole.log("tool")\n',
  'node_modules/@scope/other/cli.js': '#!/usr/bin/env node\nconsole.log("other")\n',
}

async function codeOf(files: Record<string, string>): Promise<CID> {
  const dir = await tempDir()
  await write(dir, files)
  const { store } = await testStore()
  return (await store.addTar(packEntries(await listFolder(dir)))).code
}

describe('N1: links that travel', () => {
  test('a folder as npm leaves it is packed here, fetched and unpacked there, and its links work', async () => {
    const folder = await tempDir()
    await write(folder, NPM)
    await chmod(join(folder, 'node_modules/tool/bin/tool.js'), 0o755)
    await using there = await testCode()
    const { code, files } = await there.addFolder(folder)
    expect(files).toBe(5)
    await using here = await testCode({ alice: there.store })
    using obtained = await here.obtain(code)
    const bin = join(obtained.dir, 'node_modules/.bin')
    expect(await readlink(join(bin, 'tool'))).toBe('../tool/bin/tool.js')
    const { stdout } = await run(join(bin, 'tool'), { env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` } })
    expect(stdout).toBe('tool\n')
    // another reader of tars comes to the same folder
    const tarred = await tempDir()
    await run('tar', ['-xf', there.store.paths(code).tar, '-C', tarred])
    expect(await readFile(join(tarred, 'node_modules/.bin/other'), 'utf8')).toContain('other')
  })

  test('one folder has one archive, wherever it lies and however its links are spelled', async () => {
    const codeWith = (a: string, deep: string, b: string) =>
      codeOf({
        'lib/a.js': 'a',
        'lib/deep/b.js': 'b',
        'bin/a': `-> ${a}`,
        'bin/deep': `-> ${deep}`,
        'bin/b': `-> ${b}`,
      })
    const code = await codeWith('../lib/a.js', '../lib/deep', '../lib/deep/b.js')
    const spelled = await codeWith('.././lib//a.js', '../bin/../lib/deep/', 'deep/b.js')
    expect(spelled.toString()).toBe(code.toString())
    const chained = codeWith('b/../../a.js', '../lib/deep', 'deep/b.js')
    await expect(chained).rejects.toThrow('"bin/a" is a link to "b/../../a.js", which is missing')
  })

  test('all that is in the way is named at once, with the way out', async () => {
    const dir = await tempDir()
    await write(dir, {
      ...NPM,
      'a/absolute': '-> /etc/passwd',
      'a/out': '-> ../../x',
      'a/dangling': '-> none',
      'a/around': '-> back',
      'a/back': '-> around',
      'a/root': '-> ..',
      'a/b/holder': '-> ..',
      'a/through': '-> root/a',
      'a/left-out': '-> ../secret',
      secret: 'x',
      '.thundercloudignore': 'secret',
    })
    await mkdir(join(dir, 'empty'))
    await symlink('../empty', join(dir, 'a/empty'))
    const message = await listFolder(dir).catch((error: Error) => error.message)
    expect(message).toMatch(
      /^10 entries cannot be packed: .*; replace or rename them, or name them in \.thundercloudignore$/,
    )
    const names = 'absolute out dangling around back root b/holder through left-out empty'
    for (const name of names.split(' ')) expect(message).toContain(`"a/${name}" is a link to `)
    for (let index = 0; index < 40; index++) await symlink('/x', join(dir, `link${index}`))
    await expect(listFolder(dir)).rejects.toThrow('; and 30 more; replace')
    await writeFile(join(dir, '.thundercloudignore'), 'secret\n/a/\nlink*\nempty')
    expect((await listFolder(dir)).length).toBe(5)
  })
})

describe('N1: links that are hostile', () => {
  const hostile = tars().filter(({ error }) => error !== undefined)

  test('every escape of the vectors is refused by the store and by the unpacking process', async () => {
    const outer = await tempDir()
    await write(outer, { 'etc/passwd': 'untouched', a: 'untouched' })
    const { store } = await testStore()
    for (const [index, { name, blocks }] of hostile.entries()) {
      const tar = Buffer.concat((blocks as string[]).map(blockOf))
      await expect(store.addTar(once(tar)), name).rejects.toBeInstanceOf(BadArchiveError)
      if (!name.includes('link') || index % 3 !== 0) continue
      const target = join(outer, 'in', String(index))
      await mkdir(target, { recursive: true })
      await writeFile(join(outer, 'tar'), tar)
      const { manifest } = describeArchive(tar.byteLength, [sha256(tar)])
      const unpacking = unpackArchive({ manifest, tar: join(outer, 'tar') }, target, options)
      await expect(unpacking, name).rejects.toBeInstanceOf(BadArchiveError)
      const entries = await readdir(target, { recursive: true, withFileTypes: true })
      const links = entries.filter((entry) => entry.isSymbolicLink())
      expect(links, name).toEqual([])
    }
    expect(store.usage().codes).toBe(0)
    expect(await readFile(join(outer, 'etc/passwd'), 'utf8')).toBe('untouched')
  }, 120_000)

  test.each<[string, TarLink]>([
    ['absolute', { path: 'x', target: '/etc' }],
    ['out', { path: 'x', target: '../x' }],
    ['its own path leads out', { path: '../x', target: 'a' }],
    ['to nothing', { path: 'x', target: 'none' }],
    ['in no folder', { path: 'none/x', target: '../a' }],
    ['in a file', { path: 'a/x', target: '../b' }],
    ['in a folder that is a link', { path: 'way/x', target: '../a' }],
    ['to a file through a link', { path: 'x', target: 'way/passwd' }],
    ['to a link', { path: 'x', target: 'way' }],
    ['where a file is', { path: 'a', target: 'b' }],
  ])('an unpacking process that was taken over cannot have one made: %s', async (_, link) => {
    const [dir, elsewhere] = [await tempDir(), await tempDir()]
    await write(dir, { a: '', b: '', way: `-> ${elsewhere}` })
    await write(elsewhere, { passwd: '' })
    await expect(makeLinks(dir, [link], {})).rejects.toBeInstanceOf(BadArchiveError)
    expect((await readdir(dir)).sort()).toEqual(['a', 'b', 'way'])
    expect(await readdir(elsewhere)).toEqual(['passwd'])
  })

  test('what lies there unpacked is compared without following a link', async () => {
    const folder = await tempDir()
    await write(folder, { ...NPM, 'data/x': 'x' })
    const { store } = await testStore()
    const { code } = await store.addTar(packEntries(await listFolder(folder)))
    const archive = { manifest: store.manifest(code) as ArchiveManifest, tar: store.paths(code).tar }
    const elsewhere = await tempDir()
    await write(elsewhere, { x: 'x' })
    await chmod(join(elsewhere, 'x'), 0o444)
    const changes: ((dir: string) => Promise<unknown>)[] = [
      (dir) => replace(join(dir, 'node_modules/.bin/tool'), '/etc/passwd'),
      (dir) => replace(join(dir, 'node_modules/.bin/tool'), '../@scope/other/cli.js'),
      (dir) => rm(join(dir, 'node_modules/.bin/tool')),
      (dir) => symlink('data', join(dir, 'more')),
      // the same content, but of another folder
      (dir) => replace(join(dir, 'data/x'), join(elsewhere, 'x')),
      (dir) => replace(join(dir, 'data'), elsewhere),
    ]
    for (const change of changes) {
      const target = await tempDir()
      await unpackArchive(archive, target, options)
      expect(await checkUnpacked(archive, target, options)).toMatchObject({ files: 6 })
      await change(target)
      expect(await checkUnpacked(archive, target, options), String(change)).toBeUndefined()
    }
    expect((await lstat(join(elsewhere, 'x'))).isFile()).toBe(true)
  })
})

async function replace(path: string, target: string): Promise<void> {
  await rename(path, `${path}.old`)
  await rm(`${path}.old`, { recursive: true })
  await symlink(target, path)
}

function blockOf(hex: string): Buffer {
  const block = Buffer.alloc(512)
  block.set(Buffer.from(hex, 'hex'))
  return block
}
