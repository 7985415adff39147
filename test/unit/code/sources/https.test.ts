import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { isRetryable } from '../../../../src/base/errors.ts'
import { fetchSource, sourceServer } from '../../../fixtures/code/source-server.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { rawTar } from '../raw-tar.ts'
import { FILES, https, refusal, serve } from './archive-server.ts'
import { zipOf } from './zips.ts'

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

test('a server that is away is another failure than one that has nothing: it is asked again', async () => {
  const { url } = await serve('')
  const failure = async (of: string) => await fetchSource(https(of), FILES).catch((error: unknown) => error)
  expect(isRetryable(await failure(`${url}/none`))).toBe(false)
  // nothing listens at port 1 of this machine
  expect(isRetryable(await failure('http://127.0.0.1:1/a'))).toBe(true)
})

test('a server that switches to another protocol is no answer, and is not waited for', async () => {
  const { url } = await serve((response) => {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
  })
  await expect(fetchSource(https(`${url}/a`), FILES)).rejects.toThrow('does not answer (it ends the connection)')
})
