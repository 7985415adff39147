import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { ArchiveAnswer, ArchiveRequest } from '../../../protocols/archive.ts'
import { bomb, encodedManifest, fetching, honestServer, type provider, publish, twisted } from './fetch-support.ts'
import { MIB, noise } from './support.ts'

describe('providers that lie', () => {
  const lies: [
    string,
    (request: ArchiveRequest, honest: ArchiveAnswer) => ReturnType<Parameters<typeof provider>[0]>,
  ][] = [
    [
      'another manifest',
      ({ want }, honest) => (want === 'manifest' ? { is: 'bytes', bytes: Buffer.from('a0', 'hex') } : honest),
    ],
    [
      'a manifest that is compressed',
      ({ want }, honest) => (want === 'manifest' ? { is: 'zstd', bytes: Buffer.alloc(9) } : honest),
    ],
    [
      'an endless manifest',
      ({ want }, honest) => (want === 'manifest' ? { is: 'bytes', bytes: Buffer.alloc(500_000) } : honest),
    ],
    [
      'a changed byte',
      ({ want }, honest) =>
        want === 'chunks' && honest.is === 'bytes'
          ? { is: 'bytes', bytes: Buffer.from(honest.bytes).fill(1, 77, 79) }
          : honest,
    ],
    [
      'another chunk',
      (request, honest) =>
        request.want === 'chunks' ? { is: 'bytes', bytes: noise(MIB, request.first + 99) } : honest,
    ],
    [
      'a short chunk',
      ({ want }, honest) =>
        want === 'chunks' && honest.is === 'bytes' ? { is: 'bytes', bytes: honest.bytes.subarray(1) } : honest,
    ],
    ['an empty chunk', ({ want }, honest) => (want === 'chunks' ? { is: 'bytes', bytes: Buffer.alloc(0) } : honest)],
    ['no frame', ({ want }, honest) => (want === 'chunks' ? Buffer.from('hello') : honest)],
    ['an empty frame', ({ want }, honest) => (want === 'chunks' ? Buffer.alloc(0) : honest)],
    ['a frame that is too long', ({ want }, honest) => (want === 'chunks' ? Buffer.alloc(3 * MIB) : honest)],
    ['broken zstd', ({ want }, honest) => (want === 'chunks' ? { is: 'zstd', bytes: noise(1000) } : honest)],
    ['a zstd bomb', ({ want }, honest) => (want === 'chunks' ? { is: 'zstd', bytes: bomb(64 * MIB) } : honest)],
    ['zstd that is too short', ({ want }, honest) => (want === 'chunks' ? { is: 'zstd', bytes: bomb(1000) } : honest)],
    [
      'zstd with a huge window',
      ({ want }, honest) => (want === 'chunks' ? { is: 'zstd', bytes: bomb(MIB, 27) } : honest),
    ],
  ]
  test.each(lies)('a provider of %s is dropped and named, and another brings the code', async (_, lie) => {
    const there = await publish()
    const manifest = await encodedManifest(there)
    let lied = () => {}
    const told = new Promise<void>((resolve) => {
      lied = resolve
    })
    const here = await fetching(there.code, {
      mallory: twisted(there.tar, manifest, (request, honest) => lie(request, honest)),
      alice: async (stream) => {
        await told
        await (await honestServer(there))(stream)
      },
    })
    await expect.poll(() => here.lied).toEqual(['mallory'])
    lied()
    await here.work
    expect(here.streams.opened.filter((peer) => peer === 'mallory')).toEqual(['mallory'])
    expect(here.seen).toContainEqual(['code:provider-lied', expect.objectContaining({ peer: 'mallory' })])
    expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
  })
})
