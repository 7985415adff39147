import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { type RawEntry, rawTar } from '../raw-tar.ts'
import { type ZipEntry, zipOf } from './zips.ts'

const FILES = [
  { path: 'bin/run', content: '#!/bin/sh\n', executable: true },
  { path: 'lib/a.js', content: 'hello\n' },
]
const https = (url: string, path?: string) => ({ type: 'https' as const, url, ...(path && { path }) })

/** A tar as people make them: by the system's own program, with a folder around it. */
async function systemTar(): Promise<Buffer> {
  const dir = await tempDir()
  for (const { path, content } of FILES) {
    mkdirSync(dirname(join(dir, 'x', path)), { recursive: true })
    writeFileSync(join(dir, 'x', path), content, { mode: 0o600 })
  }
  execFileSync('tar', ['cf', 'x.tar', 'x'], { cwd: dir })
  return readFileSync(join(dir, 'x.tar'))
}

const serve = (archive: Page) => sourceServer(() => ({ '/a': archive }))
const refusal = async (archive: Page, limits?: { maxBytes: number; maxEntries: number }) => {
  const { url } = await serve(archive)
  return await fetchSource(https(`${url}/a`), FILES, limits && { limits }).then(
    () => 'taken',
    (error: Error) => error.message,
  )
}

describe('an archive over HTTP', () => {
  test.each([
    ['tar', (tar: Buffer) => tar],
    ['tar.gz', gzipSync],
    [
      'tar.gz of two members',
      (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    ],
    ['tar.zst', zstdCompressSync],
  ])('%s is the code that the folder is', async (_, pack) => {
    const { url, asked } = await serve(pack(await systemTar()))
    const { store, seen } = await fetchSource(https(`${url}/a`, 'x'), FILES)
    expect(store.list()).toHaveLength(1)
    expect(asked).toEqual(['/a'])
    expect(seen).toContainEqual(['code:fetch-finished', expect.objectContaining({ from: 'https', source: `${url}/a` })])
  })

  test('a zip, its names in its two directories equal', async () => {
    const { url } = await serve(zipOf(FILES.map(({ path, content }) => ({ name: path, content }))))
    expect((await fetchSource(https(`${url}/a`), FILES)).store.list()).toHaveLength(1)
  })

  test('redirects are followed where each host is allowed', async () => {
    const tar = await systemTar()
    const { url } = await sourceServer((self) => ({
      '/a': (response) => response.writeHead(302, { location: '/b' }).end(),
      '/b': (response) => response.writeHead(301, { location: `${self}/c` }).end(),
      '/c': tar,
      '/away': (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
      '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
      '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    }))
    await fetchSource(https(`${url}/a`, 'x'), FILES)
    const problem = (path: string) => fetchSource(https(`${url}${path}`), FILES).catch((error: Error) => error.message)
    expect(await problem('/away')).toContain('169.254.169.254:80 is not among the hosts that may be reached')
    expect(await problem('/loop')).toContain('redirects more than 5 times')
    expect(await problem('/file')).toContain('redirects to an address of another kind (file://)')
    expect(await problem('/none')).toContain('answers 404 for /none')
  })

  test('what is another code, cut, or no archive leaves nothing', async () => {
    const tar = await systemTar()
    expect(await refusal(tar)).toMatch(/^http:.* has other files: they are the code bafy.*, not bafy/)
    expect(await refusal(gzipSync(tar).subarray(0, -20))).toMatch(/is not gzip that can be read/)
    expect(await refusal(tar.subarray(0, 700))).toMatch(/is not a tar that can be read/)
    expect(await refusal('<html></html>')).toMatch(/is not a tar that can be read/)
    expect(await refusal('')).toMatch(/the archive is empty/)
    expect(
      await refusal(
        (response) => void response.writeHead(200, { 'content-length': '5000' }).write('x', () => response.destroy()),
      ),
    ).toMatch(/broke off|does not answer/)
  })

  test('what is too large ends early: the download, what it unpacks to, and how many files it has', async () => {
    const limits = { maxBytes: 100_000, maxEntries: 20 }
    const zeros = gzipSync(rawTar({ path: 'z', content: '\0'.repeat(1024 * 1024) }))
    expect(await refusal(zeros, limits)).toMatch(/files of the source have more than the 97\.7 KiB that are allowed/)
    const endless = (response: import('node:http').ServerResponse) => {
      const more = () => response.write(Buffer.alloc(64 * 1024), (error) => error ?? more())
      more()
    }
    expect(await refusal(endless, limits)).toMatch(/more than|not a tar/)
    const many = rawTar(...Array.from({ length: 30 }, (_, index) => ({ path: `f${index}`, content: 'x' })))
    expect(await refusal(many, limits)).toMatch(/more than the 20 files/)
  })
})

test('a server that drips is given up after two windows, whatever the time limit of the whole', async () => {
  const clock = manualClock()
  const { url } = await serve((response) => response.writeHead(200).write('x'))
  const fetching = fetchSource(https(`${url}/a`), FILES, { clock }).catch((error: Error) => error.message)
  let over = false
  void fetching.then(() => {
    over = true
  })
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await clock.advance(1000)
  }
  expect(await fetching).toMatch(/the server sends less than 65536 bytes in 15 s/)
})

describe('hostile archives end in one sentence, and nothing is written outside', () => {
  const file = (path: string): RawEntry => ({ path, content: 'x' })
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
    ['a long name', [file(`${'n'.repeat(90)}/${'m'.repeat(9)}`), file('a\nb')], /control character/],
  ])('%s', async (_, entries, message) => {
    expect(await refusal(rawTar(...entries))).toMatch(message)
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
    ['a zip whose sizes lie', [{ name: 'a', content: 'x', size: 5 }], /not a zip that can be read/],
  ])('%s', async (_, entries, message) => {
    expect(await refusal(zipOf(entries))).toMatch(message)
  })
})
