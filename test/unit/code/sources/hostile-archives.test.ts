import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { readIgnoreText } from '../../../../src/code/archive/ignore.ts'
import { readArchive } from '../../../../src/code/sources/child/read-archive.ts'
import { createStagingFile } from '../../../../src/code/sources/child/staging-file.ts'
import { fetchSource } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { paxRecord, type RawEntry, rawEntry, rawHeader, rawTar } from '../raw-tar.ts'
import { https, refusal, serve } from './archive-server.ts'
import { type ZipEntry, zipOf } from './zips.ts'

describe('hostile archives end in one sentence, and nothing is written outside', () => {
  const file = (path: string): RawEntry => ({ path, content: 'x' })
  const pax = (records: string): RawEntry => ({ path: 'PaxHeader', type: 'x', content: records })
  const gnu = (type: 'K' | 'L', name: string): RawEntry => ({ path: '././@LongLink', type, content: `${name}\0` })
  test.each<[string, RawEntry[], RegExp]>([
    ['an absolute path', [file('/etc/x')], /absolute/],
    ['a path that climbs', [file('../x')], /the part ".."/],
    ['a path that climbs in the middle', [file('package/../../x')], /the part ".."/],
    [
      'a link out of the archive',
      [file('a'), { path: 'l', type: '2', link: '../../etc/passwd' }],
      /leads out of the folder/,
    ],
    ['an absolute link', [file('a'), { path: 'l', type: '2', link: '/etc/passwd' }], /absolute/],
    [
      'links in a circle',
      [file('a'), { path: 'l', type: '2', link: 'm' }, { path: 'm', type: '2', link: 'l' }],
      /circle/,
    ],
    [
      'a link and a file through it',
      [{ path: 'l', type: '2', link: 'd' }, file('d/a'), file('l/x')],
      /a file or a link, and a folder/,
    ],
    ['a hard link', [file('a'), { path: 'h', type: '1', link: 'a' }], /is a hard link/],
    ['a device', [file('a'), { path: 'dev', type: '3' }], /neither a file nor a folder nor a link/],
    ['a named pipe', [file('a'), { path: 'pipe', type: '6' }], /neither a file nor a folder nor a link/],
    ['a name twice', [file('a'), file('a')], /occurs twice/],
    ['a name that is not UTF-8', [{ path: Buffer.from([0x61, 0xff]), content: 'x' }], /not UTF-8/],
    ['a control character', [file(`${'n'.repeat(90)}/${'m'.repeat(9)}`), file('a\nb')], /control character/],
    ['a name of pax that climbs', [pax(paxRecord('path', 'a/../../x')), file('good')], /the part ".."/],
    ['a name of pax twice', [file('a'), pax(paxRecord('path', 'a')), file('b')], /occurs twice/],
    [
      'a size of pax that reaches beyond the end',
      [pax(paxRecord('size', '9999999')), file('a')],
      /not a tar that can be read/,
    ],
    [
      'a size of pax that swallows the next file',
      [pax(paxRecord('size', '513')), file('a'), file('b')],
      /has other files|not a tar/,
    ],
    ['a name of GNU that climbs', [gnu('L', '../../x'), file('good')], /the part ".."/],
    ['a link of GNU out of it', [file('a'), gnu('K', '/etc/passwd'), { path: 'l', type: '2', link: 'a' }], /absolute/],
    [
      'a name that is over-long',
      [gnu('L', `${`${'n'.repeat(255)}/`.repeat(5)}x`), file('x')],
      /at most 1024 are allowed|more than 255 bytes/,
    ],
    [
      'a part of a name that is over-long',
      [gnu('L', 'n'.repeat(256)), file('x')],
      /at most 1024 are allowed|more than 255 bytes/,
    ],
    ['a name without end', [gnu('L', 'n/'.repeat(100_000)), file('x')], /a name or a comment of more than 64 KiB/],
    ['a file with holes', [{ path: 's', type: 'S', content: 'x' }], /neither a file|of a kind/],
    ['a file with holes, in pax', [pax(paxRecord('GNU.sparse.map', '0,1')), file('s')], /a file with holes/],
    [
      'a chain of links',
      [file('l0'), ...Array.from({ length: 60 }, (_, at) => ({ path: `l${at + 1}`, type: '2', link: `l${at}` }))],
      /"l42" is a link to "l41", which leads in a circle, or through more than 40 links/,
    ],
  ])('%s', async (_, entries, message) => {
    expect(await refusal(rawTar(...entries))).toMatch(message)
  })

  test('names that differ in case or in normalization are different files', async () => {
    const files = ['a', 'A', 'caf\u00e9', 'cafe\u0301'].map(file)
    const { url } = await serve(rawTar(...files))
    const { store } = await fetchSource(https(`${url}/a`), files as { path: string; content: string }[])
    expect(store.list()).toHaveLength(1)
  })

  /** Ten megabytes of one member after another, each of which unpacks to as much. */
  const gigabytes = () => Buffer.concat(Array(1000).fill(gzipSync(Buffer.alloc(10 * 1024 * 1024))))
  test.each<[string, () => Buffer, RegExp]>([
    [
      '10 GB of zeros in 10 MB',
      () => Buffer.concat([gzipSync(rawHeader({ path: 'z', size: '77777777777\0' })), gigabytes()]),
      /more than the 64 MiB that are allowed/,
    ],
    [
      '10 GB of zeros behind its end',
      () => Buffer.concat([gzipSync(rawTar(file('a'))), gigabytes()]),
      /unpacks to more than/,
    ],
    ['10 GB of zeros and no file', gigabytes, /unpacks to more than/],
    [
      'a million entries',
      () =>
        Buffer.concat(
          Array(1000).fill(gzipSync(Buffer.concat(Array(1000).fill(rawHeader({ path: 'a', size: '00000000000\0' }))))),
        ),
      /more than the 1,?000 files/,
    ],
    [
      'a million comments',
      () =>
        Buffer.concat(
          Array(1000).fill(
            gzipSync(
              Buffer.concat(
                Array(1000)
                  .fill(pax(paxRecord('comment', 'x')))
                  .map(rawEntry),
              ),
            ),
          ),
        ),
      /unpacks to more than/,
    ],
    [
      'a hundred thousand members',
      () => Buffer.concat([...Array(100_000).fill(gzipSync('')), gzipSync(rawTar(file('a')))]),
      /has other files/,
    ],
  ])('%s ends early', async (_, archive, message) => {
    const limits = { maxBytes: 64 * 1024 * 1024, maxEntries: 1000 }
    expect(await refusal(archive(), limits)).toMatch(message)
  })

  const bomb = rawTar({ path: 'z', content: '\0'.repeat(8 * 1024 * 1024) })
  test.each<[string, () => Buffer]>([
    ['gzip in gzip', () => gzipSync(gzipSync(bomb))],
    ['zstd in gzip', () => gzipSync(zstdCompressSync(bomb))],
    ['a zip in zstd', () => zstdCompressSync(zipOf([{ name: 'a', content: 'x' }]))],
    ['brotli, which is not asked for', () => brotliCompressSync(rawTar(file('a')))],
    ['brotli in gzip', () => gzipSync(brotliCompressSync(bomb))],
  ])('what is compressed twice, or as no archive is, is not unpacked: %s', async (_, archive) => {
    expect(await refusal(archive())).toMatch(/is compressed twice|not a tar that can be read/)
  })

  test.each<[string, ZipEntry[], RegExp]>([
    ['a zip with a path that climbs', [{ name: '../x', content: 'x' }], /not a zip that can be read/],
    ['a zip with two names for one file', [{ name: 'a', local: 'b', content: 'x' }], /has two names in the zip/],
    [
      'a zip with a link out of it',
      [
        { name: 'a', content: 'x' },
        { name: 'l', content: '../../x', mode: 0o120777 },
      ],
      /leads out of the folder/,
    ],
    [
      'a zip that unpacks to a hundred times its size',
      [{ name: 'z', content: Buffer.alloc(8 * 1024 * 1024), deflate: true }],
      /more than the 4 MiB that are allowed/,
    ],
    [
      'a zip of many entries',
      Array.from({ length: 1001 }, (_, at) => ({ name: `f${at}`, content: '' })),
      /more than the 1,?000 files/,
    ],
    [
      'a zip of many folders that only their mode names',
      Array.from({ length: 1001 }, (_, at) => ({ name: `d${at}`, content: '', mode: 0o040755 })),
      /more than the 1,?000 files/,
    ],
    [
      'a zip with a name twice',
      [
        { name: 'a', content: 'x' },
        { name: 'a', content: 'y' },
      ],
      /occurs twice/,
    ],
    ['a zip with a device', [{ name: 'd', content: '', mode: 0o020666 }], /neither a file nor a folder nor a link/],
    [
      'a zip with an over-long name',
      [{ name: 'n'.repeat(256), content: '' }],
      /at most 1024 are allowed|more than 255 bytes/,
    ],
    ['a zip whose sizes lie', [{ name: 'a', content: 'x', size: 5 }], /not a zip that can be read/],
  ])('%s', async (_, entries, message) => {
    expect(await refusal(zipOf(entries))).toMatch(message)
  })

  test('a zip with two central directories, wherever the other one is', async () => {
    const [seen, hidden] = [[{ name: 'a', content: 'x' }], [{ name: 'b', content: 'y' }]]
    const before = zipOf(hidden)
    expect(await refusal(Buffer.concat([before, zipOf(seen, before.byteLength)]))).toMatch(/two directories/)
    // its comment is another zip
    const outer = zipOf(seen)
    outer.writeUInt16LE(before.byteLength, outer.byteLength - 2)
    expect(await refusal(Buffer.concat([outer, before]))).toMatch(/two directories|not a zip/)
    // a file inside may be a zip
    const files = [{ path: 'a.zip', content: before.toString('latin1') }]
    const { url } = await serve(zipOf([{ name: 'a.zip', content: Buffer.from(before.toString('latin1')) }]))
    expect((await fetchSource(https(`${url}/a`), files)).store.list()).toHaveLength(1)
  })

  test('a zip whose entries share their bytes', async () => {
    const zip = zipOf([
      { name: 'a', content: 'x' },
      { name: 'a', content: 'x' },
    ])
    // the second entry's header is the first one's
    const central = zip.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'))
    zip.writeUInt32LE(0, central + 42)
    expect(await refusal(zip)).toMatch(/share their bytes/)
  })
})

const cwd = process.cwd()
afterEach(() => process.chdir(cwd))

test.each([
  ['tar', rawTar({ path: 'a', content: 'x' })],
  ['zip', zipOf([{ name: 'a', content: 'x' }])],
] as const)('a disk that is full while a %s is read is no fault of the archive', async (_, archive) => {
  process.chdir(await tempDir())
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  const staging = createStagingFile('staging', { maxBytes: 1000, maxEntries: 10 })
  staging.data = () => {
    throw full
  }
  await expect(readArchive(Readable.from([archive]), staging)).rejects.toBe(full)
  staging[Symbol.dispose]()
})

test('of an ignore file no more is read than one may have', async () => {
  let read = 0
  function* endless() {
    for (; read < 2 ** 30; read += 2 ** 16) yield new Uint8Array(2 ** 16)
  }
  await expect(readIgnoreText(endless())).rejects.toThrow('.thundercloudignore has more than 65536 bytes')
  expect(read).toBeLessThan(2 ** 20)
  expect(await readIgnoreText([Buffer.from('a\n'), Buffer.from('b')])).toBe('a\nb')
})

test('of what an archive holds only names and first bytes stay in memory', async () => {
  using staging = createStagingFile(join(await tempDir(), 'staging'), { maxBytes: 2 ** 20, maxEntries: 10 })
  staging.file('a')
  for (const piece of ['#!/', 'bin/sh\n', 'x'.repeat(100_000)]) staging.data(Buffer.from(piece))
  const [entry] = staging.entries
  const head = entry !== undefined && 'head' in entry ? entry.head : new Uint8Array(0)
  expect([Buffer.from(head).toString(), head.buffer.byteLength]).toEqual([`#!/bin/sh\n${'x'.repeat(54)}`, 64])
})
