import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { decodeArchiveRequest, encodeArchiveAnswer } from '../../../protocols/streams/archive.ts'
import { createManifest as describeArchive } from '../../../src/code/archive/chunks.ts'
import { encodeHeader } from '../../../src/code/archive/tar-format.ts'
import { threadedZstd } from '../../../src/code/archive/zstd.ts'
import { StoreFullError, TooLargeError } from '../../../src/code/errors.ts'
import { archiveLimitsFor } from '../../../src/code/index.ts'
import { type Behaviour, MIB, packFiles, testCode, testStore } from '../../fixtures/code/stores.ts'

async function inodesIn(dir: string): Promise<number> {
  return (await readdir(dir, { recursive: true })).length
}

/** codes, partial, images and temp */
const STORE_FOLDERS = 4
const EMPTY = { codes: 0, bytes: 0, files: 0 }

describe('S16: an archive that is more than was granted', () => {
  test('1,024 small frames of zeros: not a chunk is asked for, and nothing stays', async () => {
    const zeros = new Uint8Array(CHUNK_BYTES)
    const frame = zstdCompressSync(zeros)
    expect(frame.byteLength).toBeLessThan(1024)
    const { code, encoded } = describeArchive(1024 * CHUNK_BYTES, new Array(1024).fill(sha256(zeros)))
    let chunks = 0
    const bomb: Behaviour = async (stream) => {
      for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
        const request = decodeArchiveRequest(bytes)
        if (request.want === 'chunks') chunks++
        const answer =
          request.want === 'manifest' ? { is: 'bytes' as const, bytes: encoded } : { is: 'zstd' as const, bytes: frame }
        await stream.write(encodeArchiveAnswer(answer))
      }
    }
    await using own = await testCode({ bomb })
    const obtained = own.obtain(code, { limits: archiveLimitsFor(MIB) })
    await expect(obtained).rejects.toThrow('the code has 1 GiB; at most 1 MiB are allowed')
    expect(chunks).toBe(0)
    expect(own.store.usage()).toMatchObject(EMPTY)
    expect(own.store.list()).toEqual([])
    expect(await inodesIn(own.dir)).toBe(STORE_FOLDERS)
  })

  test('99,999 empty files: all headers are counted before the first is written, and the archive leaves the store', async () => {
    const { code, provider } = await manyFiles(99_999)
    await using own = await testCode({ provider })
    let most = 0
    const watching = new AbortController()
    const watch = (async () => {
      while (!watching.signal.aborted) {
        most = Math.max(most, await inodesIn(join(own.dir, 'temp')).catch(() => 0))
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })()
    // as many bytes as it likes, but not as many files
    const limits = { ...archiveLimitsFor(64 * MIB), maxEntries: 2048 }
    await expect(own.obtain(code, { limits })).rejects.toThrow('the archive has more than 2048 files and folders')
    watching.abort()
    await watch
    // never the files: the folder that they would have gone to, or that of the archive on its way out, with its three files
    expect(most).toBeLessThanOrEqual(4)
    expect(own.store.usage()).toMatchObject(EMPTY)
    expect(await inodesIn(own.dir)).toBe(STORE_FOLDERS)
  })

  test('with the disk of a service: bytes and files follow from it', () => {
    expect(archiveLimitsFor(0)).toEqual({ maxBytes: MIB, maxEntries: 2048 })
    expect(archiveLimitsFor(16 * MIB)).toEqual({ maxBytes: 16 * MIB, maxEntries: 32_768 })
    expect(archiveLimitsFor(Number.POSITIVE_INFINITY)).toEqual({ maxBytes: 4096 * MIB, maxEntries: 100_000 })
  })

  test('what another node may have stays for them', async () => {
    const { store } = await testStore()
    const { code } = await store.addTar(packFiles([{ path: 'a', content: new Uint8Array(2 * MIB) }]))
    await using own = await testCode({ alice: store })
    using held = await own.obtain(code, { limits: archiveLimitsFor(4 * MIB) })
    await expect(own.obtain(code, { limits: archiveLimitsFor(MIB) })).rejects.toBeInstanceOf(TooLargeError)
    held.release()
    await expect(own.obtain(code, { limits: archiveLimitsFor(MIB) })).rejects.toBeInstanceOf(TooLargeError)
    expect(own.store.usage().codes).toBe(1)
  })

  test('a frame unpacks to a chunk and no more', async () => {
    const frame = zstdCompressSync(new Uint8Array(64 * MIB))
    await expect(threadedZstd().decompress(frame, CHUNK_BYTES)).rejects.toThrow('unpacks to more than 1048576 bytes')
  })
})

describe('S16: files of the code store', () => {
  test('are bounded in all: a store that is full of small ones takes no more, and frees space first', async () => {
    const { code, provider } = await manyFiles(9000)
    const other = await manyFiles(9500)
    const third = await manyFiles(20_000)
    const peers = { provider, other: other.provider, third: third.provider }
    await using own = await testCode(peers, { maxBytes: 64 * MIB })
    expect(own.store.usage().maxFiles).toBe(16_384)
    const held = await own.obtain(code)
    expect(own.store.usage().files).toBe(9000 + 1 + 4)
    await expect(own.obtain(other.code)).rejects.toBeInstanceOf(StoreFullError)
    held.release()
    using second = await own.obtain(other.code)
    expect(second.dir).toBeTruthy()
    expect(own.store.has(code)).toBe(false)
    expect(own.store.usage().files).toBe(9500 + 1 + 4)
    second.release()
    await expect(own.obtain(third.code)).rejects.toBeInstanceOf(StoreFullError)
  })

  test('are counted again after a restart, also those that an older version unpacked', async () => {
    const { code, provider } = await manyFiles(500)
    const first = await testCode({ provider })
    const { dir } = first
    ;(await first.obtain(code)).release()
    expect(first.store.usage().files).toBe(505)
    await first[Symbol.asyncDispose]()
    {
      await using again = await testCode({}, { dir })
      expect(again.store.usage().files).toBe(505)
    }
    const noted = join(dir, 'codes', code.toString(), 'entries')
    for (const none of ['', '0']) {
      await writeFile(noted, none)
      await using unknown = await testCode({}, { dir })
      expect(unknown.store.usage().files).toBeGreaterThanOrEqual(505)
    }
    await rm(noted)
    await using upgraded = await testCode({}, { dir })
    expect(upgraded.store.usage().files).toBeGreaterThanOrEqual(505)
    using obtained = await upgraded.obtain(code)
    expect((await stat(obtained.dir)).isDirectory()).toBe(true)
  })
})

/** A canonical archive of empty files, and a peer that has it. */
async function manyFiles(count: number) {
  const { store } = await testStore({ maxBytes: 4096 * MIB })
  async function* tar() {
    for (let index = 0; index < count; index++) {
      yield encodeHeader({ path: String(index).padStart(6, '0'), executable: false, size: 0 })
    }
    yield new Uint8Array(1024)
  }
  const { code } = await store.addTar(tar())
  return { code, provider: store }
}
