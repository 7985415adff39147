import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { collectArchive } from '../../../../../src/api/dashboard/page/pages/publish/collect-archive.ts'
import { packTar } from '../../../../../src/api/dashboard/page/pages/publish/tar.ts'
import { listFolder, packEntries } from '../../../../../src/code/index.ts'
import { tempDir } from '../../../../fixtures/temp-dir.ts'

type Change = Partial<{ method: number; size: number; crc: number; flags: number; attributes: number; name: Buffer }>

/** A zip of these files, each with what is wrong with it. */
function zipOf(files: Readonly<Record<string, string>>, change: Change = {}): Buffer {
  const [locals, list]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (const [path, text] of Object.entries(files)) {
    const bytes = Buffer.from(text)
    const name = change.name ?? Buffer.from(path)
    const packed = deflateRawSync(bytes)
    const { method = 8, size = bytes.byteLength, crc = crc32(bytes), flags = 0, attributes = 0o100644 } = change
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50, 0)
    head.writeUInt16LE(name.byteLength, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(crc, 16)
    entry.writeUInt32LE(packed.byteLength, 20)
    entry.writeUInt32LE(size, 24)
    entry.writeUInt16LE(name.byteLength, 28)
    entry.writeUInt32LE((attributes << 16) >>> 0, 38)
    entry.writeUInt32LE(at, 42)
    locals.push(head, name, packed)
    list.push(entry, name)
    at += 30 + name.byteLength + packed.byteLength
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(list.length / 2, 10)
  end.writeUInt32LE(Buffer.concat(list).byteLength, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...list, end])
}

const fileOf = (bytes: Uint8Array<ArrayBuffer>, name = 'web.zip') => new File([bytes], name)
const collected = async (bytes: Buffer, name?: string) => collectArchive(fileOf(new Uint8Array(bytes), name))

/** A folder with everything that the rules of packing decide about. */
async function folder(): Promise<string> {
  const dir = join(await tempDir(), 'web')
  const files = {
    'server.js': 'console.log(1)\n',
    run: '#!/bin/sh\necho run\n',
    '.npmrc': '//registry.example/:_authToken=a-secret\n',
    '.gitignore': 'server.js\n',
    '.thundercloudignore': '*.log\n/tmp/\n!keep.log\n',
    'a.log': 'a',
    'keep.log': 'k',
    'tmp/deep/file': 't',
    'lib/tmp/file': 'l',
    'lib/.npmrc': 'secret',
    'node_modules/x/index.js': 'x',
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

test('what is dropped has the content that `publish DIR` packs: modes, names and rules, from zip and from tar', async () => {
  const dir = await folder()
  const wanted = await buffer(packEntries(await listFolder(dir)))
  expect(wanted.includes('a-secret')).toBe(false)
  const tar = execFileSync('tar', ['czf', '-', 'web'], { cwd: dirname(dir) })
  const paths = execFileSync('find', ['web', '-type', 'f'], { cwd: dirname(dir), encoding: 'utf8' })
    .trim()
    .split('\n')
  const zip = zipOf(Object.fromEntries(paths.map((path) => [path, readFileSync(join(dirname(dir), path), 'utf8')])))
  for (const [bytes, name] of [
    [tar, 'web.tar.gz'],
    [zip, 'web.zip'],
  ] as const) {
    const { files, name: given } = await collected(Buffer.from(bytes), name)
    expect(given).toBe('web')
    expect(Buffer.from(await packTar(files).arrayBuffer()).equals(wanted), name).toBe(true)
  }
})

/** As tar writes it: paths that `packTar` is not given. */
const tarOf = async (files: Readonly<Record<string, string>>) =>
  Buffer.from(
    await packTar(Object.entries(files).map(([path, text]) => ({ path, data: new Blob([text]) }))).arrayBuffer(),
  )
const archives: [name: string, of: (files: Readonly<Record<string, string>>) => Buffer | Promise<Buffer>][] = [
  ['web.zip', zipOf],
  ['web.tar', tarOf],
]

describe.each(archives)('%s', (name, of) => {
  const pathsOf = async (files: Readonly<Record<string, string>>) =>
    (await collected(await of(files), name)).files.map(({ path }) => path).sort()

  test('what macOS adds is left out, and the folder beside it is unwrapped', async () => {
    const more = { '._web': 'm', '__MACOSX/._web': 'm', '__MACOSX/web/._a.js': 'm', 'web/._a.js': 'm' }
    expect(await pathsOf({ ...more, 'web/a.js': 'a', 'web/lib/._b.js': 'm', 'web/lib/b.js': 'b' })).toEqual([
      'a.js',
      'lib/b.js',
    ])
    // such a folder of the code's own stays
    expect(await pathsOf({ 'web/__MACOSX/a': 'a', 'web/a.js': 'a' })).toEqual(['__MACOSX/a', 'a.js'])
  })

  test('"./" before a path is no part of it', async () => {
    expect(await pathsOf({ './web/a.js': 'a', './web/b.js': 'b', 'web/c.js': 'c' })).toEqual(['a.js', 'b.js', 'c.js'])
    expect(await pathsOf({ './a.js': 'a', '././/b/c.js': 'c' })).toEqual(['a.js', 'b/c.js'])
  })

  test.each([
    ['/etc/passwd', '"/etc/passwd" is absolute; paths in an archive are relative.'],
    ['../a', '"../a" has the part ".." in its path; pack the archive again without it.'],
    ['web/../../a', '"web/../../a" has the part ".." in its path; pack the archive again without it.'],
    ['..', '".." has the part ".." in its path; pack the archive again without it.'],
    ['.', '"." has the part "." in its path; pack the archive again without it.'],
    ['web/./a', '"web/./a" has the part "." in its path; pack the archive again without it.'],
    ['web//a', '"web//a" has an empty part in its path; pack the archive again without it.'],
    ['', 'A file of the archive has no name; pack it again.'],
    ['./\u0007a/../b', '"\ufffda/../b" has the part ".." in its path; pack the archive again without it.'],
  ])('the path %j is refused with a sentence, also where it is alone', async (path, sentence) => {
    for (const files of [{ [path]: 'a' }, { 'web/b': 'b', [path]: 'a', '.thundercloudignore': '*\n' }]) {
      await expect(pathsOf(files)).rejects.toThrow(new Error(sentence))
    }
  })
})

test('rules that are wrong are refused with the sentence of the node', async () => {
  const zip = zipOf({ 'a.js': 'a', '.thundercloudignore': '**/a/**/b/**/c/d\n' })
  await expect(collected(zip)).rejects.toThrow(/^\.thundercloudignore, line 1: .* has 3 /)
})

describe('hostile: a zip', () => {
  const one = { 'a.js': 'x'.repeat(10_000) }
  test.each<[string, Buffer, RegExp]>([
    ['that is half there', zipOf(one).subarray(0, 60), /no zip archive, or a damaged one|no tar archive/],
    ['that unpacks to more than it says', zipOf(one, { size: 100 }), /damaged/],
    ['that unpacks to less than it says', zipOf(one, { size: 100_000 }), /damaged/],
    ['whose check sum is another', zipOf(one, { crc: 1 }), /damaged/],
    ['that says that it holds terabytes', zipOf({ ...one, b: 'b' }, { size: 2 ** 31 - 1 }), /more than 2 GiB/],
    ['that is encrypted', zipOf(one, { flags: 1 }), /encrypted/],
    ['with another compression', zipOf(one, { method: 93 }), /pack it as \.tar\.gz/],
    ['with a link', zipOf(one, { attributes: 0o120777 }), /holds a link, "a\.js"/],
    ['with a path that is no text', zipOf(one, { name: Buffer.from([0xff, 0xfe]) }), /no UTF-8 text/],
    ['with nothing in it', zipOf({}), /no files in it/],
  ])('%s is refused with a sentence', async (_, zip, sentence) => {
    await expect(collected(zip)).rejects.toThrow(sentence)
  })

  test('with any of its bytes changed is refused, or the same as far as it says', async () => {
    const zip = zipOf(one)
    for (let at = 0; at < zip.byteLength; at++) {
      const changed = Buffer.from(zip)
      changed[at] = (changed[at] ?? 0) ^ 0x5a
      const outcome = await collected(changed).then(
        async ({ files }) => (await files[0]?.data.text()) === one['a.js'],
        (error: unknown) => error instanceof Error && !/undefined|offset/i.test(error.message),
      )
      expect([at, outcome]).toEqual([at, true])
    }
  })
})

describe('hostile: a tar', () => {
  /** With a path that needs a record of its own, and a file of more than one block. */
  const tar = packTar([
    { path: `${'folder/'.repeat(20)}file.txt`, data: new Blob(['deep']) },
    { path: 'a.js', data: new Blob(['x'.repeat(520)]) },
  ])
  const sizeAt = 124

  test.each([
    ['below nothing', '-1000'],
    ['with a sign', '+1000'],
    ['of digits that are none', '1000009'],
    ['of words', '10 00'],
    ['in binary', '\u0080\0\0\0\0\0\0\0\0\0\x10'],
  ])('with a size %s is refused with a sentence', async (_, size) => {
    const changed = Buffer.from(await packTar([{ path: 'a.js', data: new Blob(['x'.repeat(520)]) }]).arrayBuffer())
    changed.write(size.padEnd(12, '\0'), sizeAt, 'latin1')
    await expect(collected(changed, 'web.tar')).rejects.toThrow(
      'A file of the archive has a size that cannot be read; pack it again as .tar.gz.',
    )
  })

  test('whose size is filled up with spaces, or empty, is read', async () => {
    const changed = Buffer.from(await packTar([{ path: 'a.js', data: new Blob([]) }]).arrayBuffer())
    for (const size of ['          0 ', '            ', '\0'.repeat(12)]) {
      changed.write(size, sizeAt, 'latin1')
      expect((await collected(changed, 'web.tar')).bytes).toBe(0)
    }
  })

  test('with any of its bytes changed is read to its end, or refused with a sentence', async () => {
    const bytes = Buffer.from(await tar.arrayBuffer())
    for (const whole of [bytes, gzipSync(bytes)]) {
      // the second makes a minus of a zero
      for (const bits of [0x5a, 0x1d]) {
        for (let at = 0; at < whole.byteLength; at++) {
          const changed = Buffer.from(whole)
          changed[at] = (changed[at] ?? 0) ^ bits
          const outcome = await collected(changed, 'web.tar.gz').then(
            ({ files }) => Promise.all(files.map(({ data }) => data.text())).then(() => 'read'),
            (error: unknown) => (error instanceof Error ? error.message : error),
          )
          expect([at, outcome]).toEqual([at, expect.stringMatching(/^(read|(This|A|The|There|It|").+\.)$/)])
        }
      }
    }
  })
})
