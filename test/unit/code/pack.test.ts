import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { list } from 'tar'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { InputError } from '../../../src/base/errors.ts'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import { comparePaths } from '../../../src/code/archive/tar-format.ts'
import { createTarReader } from '../../../src/code/archive/tar-read.ts'
import { packEntries } from '../../../src/code/archive/tar-write.ts'
import { unpackArchive } from '../../../src/code/unpack/unpack.ts'
import {
  collect,
  entriesOf,
  type FileSpec,
  once,
  packedPaths,
  packFiles,
  testStore,
  writeFiles,
} from '../../fixtures/code/stores.ts'
import { forAllAsync } from '../../fixtures/property.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const run = promisify(execFile)
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** What the strict reader sees. */
function readBack(tar: Uint8Array, pieceBytes = tar.byteLength): FileSpec[] {
  const files: FileSpec[] = []
  let content: Uint8Array[] = []
  const reader = createTarReader(
    {
      file: ({ path, executable }) => void files.push({ path, executable, content: '' }),
      data: (bytes) => void content.push(Uint8Array.from(bytes)),
      close() {
        Object.assign(files.at(-1) as FileSpec, { content: Buffer.concat(content) })
        content = []
      },
      link() {},
    },
    { maxEntries: 10_000, maxBytes: 2 ** 26 },
  )
  for (let at = 0; at < tar.byteLength; at += pieceBytes) reader.push(tar.subarray(at, at + pieceBytes))
  reader.end()
  return files
}

describe('the canonical tar', () => {
  test('is what it was: one file, an executable, and a long path', async () => {
    const tar = await collect(
      packFiles([
        { path: 'run.sh', content: '#!/bin/sh\necho hello\n', executable: true },
        { path: 'README.md', content: 'hello\n' },
        { path: `${'folder/'.repeat(20)}\u00e9.txt`, content: 'deep\n' },
      ]),
    )
    expect(tar.byteLength).toBe(1024 + 4 * 512 + 1024 + 1024)
    expect(tar.subarray(0, 345).toString('latin1').replaceAll('\0', '.')).toBe(
      `README.md${'.'.repeat(91)}0000644.0000000.0000000.00000000006.00000000000.010460. 0${'.'.repeat(100)}ustar.00${'.'.repeat(64)}0000000.0000000.`,
    )
    // computed by another program, in another language, from the rule alone
    expect(hex(tar)).toBe('0ae514c8c647ea07218e2439e1dd6dbe6d7755fd06cc0854d66d7d7b143d132b')
    const { code } = await (await testStore()).store.addTar(once(tar))
    expect(code.toString()).toBe('bafyreifbwc63bgnkisnipp5ngwa25gfe3on5koaudbekkelm36hxxn6paq')
  })

  test('is read by other programs as what was packed', async () => {
    const files: FileSpec[] = [
      { path: `${'a'.repeat(100)}`, content: '100' },
      { path: `${'b'.repeat(101)}`, content: '101' },
      { path: `${'deep/'.repeat(60)}end`, content: 'far' },
      { path: 'gr\u00fc\u00dfe/\u{1f600}', content: 'hi', executable: true },
      { path: 'empty', content: '' },
      { path: 'exactly', content: 'x'.repeat(1024) },
    ]
    const dir = await tempDir()
    await writeFile(join(dir, 'x.tar'), packFiles(files))
    const expected = files.map(({ path }) => path).sort(comparePaths)
    const seen: string[] = []
    await list({ file: join(dir, 'x.tar'), strict: true, onReadEntry: ({ path }) => void seen.push(path) })
    expect(seen).toEqual(expected)
    await mkdir(join(dir, 'out'))
    await run('tar', ['-xf', join(dir, 'x.tar'), '-C', join(dir, 'out')])
    for (const { path, content } of files) expect(await readFile(join(dir, 'out', path), 'utf8')).toBe(content)
    expect((await packedPaths(join(dir, 'out'))).sort(comparePaths)).toEqual(expected)
  })

  test('what one process unpacks, another packs to the same bytes', async () => {
    const unit = fc.constantFrom('a', 'B', '.', '-', ' ', '\u00e9', 'e\u0301', '\uff5e', '\u{1f600}', '~', '0')
    const name = fc.string({ unit, minLength: 1, maxLength: 40 })
    const part = name.filter((drawn) => drawn !== '.' && drawn !== '..')
    const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
    const file = fc.record({ path, content: fc.uint8Array({ maxLength: 1500 }), executable: fc.boolean() })
    const some = fc.array(file, { minLength: 1, maxLength: 12 })
    await forAllAsync(150, [some, fc.integer({ min: 1, max: 2000 })], async (drawn, piece) => {
      const files = withoutConflicts(drawn)
      const tar = await collect(packFiles(files))
      const back = readBack(tar, piece)
      expect(back.map(({ path: one }) => one)).toEqual(files.map(({ path: one }) => one).sort(comparePaths))
      expect(hex(await collect(packFiles(back.reverse())))).toBe(hex(tar))
    })
  })

  test('a folder packs to the same bytes again after it was unpacked, in any order, at any time, by anyone', async () => {
    const [one, two, out] = [await tempDir(), await tempDir(), await tempDir()]
    const files = {
      'b/z': 'z',
      'b/a': 'a',
      'a.txt': 'text',
      'c/d/e/f': 'deep',
      'b.c': 'sorts before b/a',
      run: '#!/bin/sh',
    }
    await writeFiles(one, files)
    await writeFiles(two, Object.fromEntries(Object.entries(files).reverse()))
    await chmod(join(one, 'run'), 0o700)
    await chmod(join(two, 'run'), 0o775)
    await chmod(join(two, 'a.txt'), 0o666)
    await utimes(join(two, 'a.txt'), 1, 1)
    const { store } = await testStore()
    const { code } = await store.addTar(packEntries(await listFolder(one)))
    expect((await store.addTar(packEntries(await listFolder(two)))).code.toString()).toBe(code.toString())
    const archive = { manifest: store.manifest(code) as never, tar: store.paths(code).tar }
    await unpackArchive(archive, out, { clock: systemClock(), limits: { maxEntries: 100, maxBytes: 2 ** 20 } })
    expect((await store.addTar(packEntries(await listFolder(out)))).code.toString()).toBe(code.toString())
  })

  test.each([
    ['nothing', []],
    ['/absolute', ['/x']],
    ['..', ['a/../b']],
    ['backslash', ['a\\b']],
    ['control', ['a\nb']],
    ['twice', ['a', 'a']],
    ['file and a folder', ['a', 'a/b']],
    ['empty part', ['a//b']],
    ['Unicode', ['\ud800']],
    ['255', ['n'.repeat(256)]],
    ['1024', [`${'n/'.repeat(520)}n`]],
  ])('refuses to pack: %s', async (_, paths) => {
    const packing = collect(packEntries(entriesOf(paths.map((path) => ({ path, content: 'x' })))))
    await expect(packing).rejects.toBeInstanceOf(InputError)
  })

  test('refuses a file that is too big before it reads any of it', async () => {
    const entry = { path: 'big', executable: false, size: 8 * 1024 ** 3, open: () => expect.fail('was read') }
    const why = '"big" has 8589934592 bytes; a file in an archive has less than 8 GiB'
    await expect(collect(packEntries([entry]))).rejects.toThrow(why)
  })

  test.each([1, 3])('refuses a file that changed while it was packed (%i bytes of 2)', async (length) => {
    const entry = { path: 'a', executable: false, size: 2, open: () => [Buffer.alloc(length)] }
    await expect(collect(packEntries([entry]))).rejects.toThrow('"a" changed while it was packed')
  })
})

function withoutConflicts(files: FileSpec[]): FileSpec[] {
  const clash = (a: FileSpec, b: FileSpec) => a.path === b.path || a.path.startsWith(`${b.path}/`)
  const kept: FileSpec[] = []
  for (const file of files) if (!kept.some((one) => clash(one, file) || clash(file, one))) kept.push(file)
  return kept
}
