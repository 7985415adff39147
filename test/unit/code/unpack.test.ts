import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { ArchiveManifest } from '../../../protocols/streams/archive.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { HashMismatchError, TooLargeError } from '../../../src/code/errors.ts'
import { checkUnpacked, confinement, unpackArchive } from '../../../src/code/unpack/unpack.ts'
import { type FileSpec, MIB, noise, packFiles, testStore } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const run = promisify(execFile)
const options = { clock: systemClock(), limits: { maxEntries: 100, maxBytes: 64 * MIB } }

async function archiveOf(files: FileSpec[]) {
  const { store } = await testStore()
  const { code } = await store.addTar(packFiles(files))
  return { manifest: store.manifest(code) as ArchiveManifest, tar: store.paths(code).tar }
}

const files: FileSpec[] = [
  { path: 'bin/run', content: '#!/bin/sh\n', executable: true },
  { path: 'data.bin', content: noise(3_000_000) },
  { path: `${'long/'.repeat(30)}name`, content: '' },
]

describe('unpacking', () => {
  afterEach(() => {
    delete process.env.NODE_OPTIONS
  })

  test('writes the files, read-only, whatever the umask', async () => {
    const archive = await archiveOf(files)
    const target = await tempDir()
    const before = process.umask(0o077)
    try {
      expect(await unpackArchive(archive, target, options)).toEqual({ files: 3, entries: 34, bytes: 3_000_010 })
    } finally {
      process.umask(before)
    }
    expect(Buffer.compare(await readFile(join(target, 'data.bin')), noise(3_000_000))).toBe(0)
    for (const [path, mode] of Object.entries({ bin: 0o755, 'bin/run': 0o555, 'data.bin': 0o444 }))
      expect((await stat(join(target, path))).mode & 0o7777).toBe(mode)
  })

  test('sees every difference between an archive and what lies there', async () => {
    const archive = await archiveOf(files)
    const target = await tempDir()
    const data = join(target, 'data.bin')
    const changes: (() => Promise<unknown>)[] = [
      () => chmod(data, 0o644),
      () => rm(data),
      () => writeFile(join(target, 'more'), ''),
      () => mkdir(join(target, 'folder')),
      async () => {
        await chmod(data, 0o644)
        await writeFile(data, Buffer.alloc(3_000_000))
        await chmod(data, 0o444)
      },
    ]
    for (const change of changes) {
      await unpackArchive(archive, target, options)
      expect(await checkUnpacked(archive, target, options)).toMatchObject({ files: 3 })
      await change()
      expect(await checkUnpacked(archive, target, options), String(change)).toBeUndefined()
      await rm(target, { recursive: true })
      await mkdir(target)
    }
  })

  test('refuses bytes that the disk has changed before it writes any of them', async () => {
    const archive = await archiveOf([{ path: 'a', content: noise(100) }])
    await writeFile(archive.tar, Buffer.from(await readFile(archive.tar)).fill(1, 600, 601))
    const target = await tempDir()
    await expect(unpackArchive(archive, target, options)).rejects.toBeInstanceOf(HashMismatchError)
    await expect(stat(join(target, 'a'))).rejects.toThrow('ENOENT')
  })

  test('refuses more entries or bytes than allowed', async () => {
    const archive = await archiveOf(files)
    for (const less of [{ maxEntries: 33 }, { maxBytes: 3_000_009 }]) {
      const unpacking = unpackArchive(archive, await tempDir(), { ...options, limits: { ...options.limits, ...less } })
      await expect(unpacking).rejects.toBeInstanceOf(TooLargeError)
    }
  })

  test('the process inherits no environment', async () => {
    const archive = await archiveOf([{ path: 'a', content: 'x' }])
    process.env.NODE_OPTIONS = '--no-such-option'
    await unpackArchive(archive, await tempDir(), options)
  })

  test('the process reads its descriptors and writes its folder, and nothing else', async () => {
    const [target, elsewhere] = [await tempDir(), await tempDir()]
    const tar = join(await tempDir(), 'tar')
    await Promise.all([writeFile(tar, 'archive'), writeFile(join(elsewhere, 'secret'), 'secret')])
    const attempt = async (script: string) => {
      const args = [...confinement(target, 64), '--eval', `const fs = require('fs'); ${script}`]
      const running = run(process.execPath, args, { env: {} }).then(() => 'done')
      return running.catch(({ stderr }) => /ERR_ACCESS_DENIED/.exec(stderr)?.[0] ?? stderr)
    }
    expect(await attempt(`fs.writeFileSync('${target}/a', 'a')`)).toBe('done')
    for (const script of [
      `fs.writeFileSync('${elsewhere}/a', '')`,
      `fs.writeFileSync('${tar}', '')`,
      `fs.readFileSync('${tar}')`,
      `fs.readFileSync('${elsewhere}/secret')`,
      `fs.symlinkSync('${elsewhere}', '${target}/way-out')`,
      `require('child_process').execFileSync('true')`,
      `new (require('worker_threads').Worker)('1', { eval: true })`,
      `require('net').connect(1, '127.0.0.1')`,
    ]) {
      expect(await attempt(script), script).toBe('ERR_ACCESS_DENIED')
    }
  })

  test('ends with the signal', async () => {
    const archive = await archiveOf(files)
    const controller = new AbortController()
    const unpacking = unpackArchive(archive, await tempDir(), { ...options, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(unpacking).rejects.toThrow('enough')
  })
})
