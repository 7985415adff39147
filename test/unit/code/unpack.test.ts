import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { checkUnpacked, unpackArchive } from '../../../src/code/unpack/unpack.ts'
import { noise, packFiles, tempDir, testStore } from './support.ts'

const options = { clock: systemClock(), limits: { maxEntries: 100, maxBytes: 1024 * 1024 * 64 } }

describe('unpacking', () => {
  test('writes the files, read-only, and finds them again', async () => {
    const { store } = await testStore()
    const content = noise(3_000_000)
    const { code } = await store.addTar(
      packFiles([
        { path: 'bin/run', content: '#!/bin/sh\n', executable: true },
        { path: 'data.bin', content },
      ]),
    )
    const target = await tempDir()
    const archive = { manifest: store.manifest(code)!, tar: store.paths(code).tar }
    expect(await unpackArchive(archive, target, options)).toEqual({ files: 2, entries: 3, bytes: 3_000_010 })
    expect(Buffer.compare(await readFile(join(target, 'data.bin')), content)).toBe(0)
    expect((await stat(join(target, 'bin/run'))).mode & 0o7777).toBe(0o555)
    expect((await stat(join(target, 'data.bin'))).mode & 0o7777).toBe(0o444)
    expect(await checkUnpacked(archive, target, options)).toEqual({ files: 2, entries: 3, bytes: 3_000_010 })
    await chmod(join(target, 'data.bin'), 0o644)
    expect(await checkUnpacked(archive, target, options)).toBeUndefined()
  })
})
