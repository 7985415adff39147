import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { MIB, noise } from '../../fixtures/code/stores.ts'
import { bomb, fetching, honestServer, type provider, publish, twisted } from './fetch-support.ts'

type Answer = ReturnType<Parameters<typeof provider>[0]>
const MANIFESTS: Record<string, Answer> = {
  'another manifest': { is: 'bytes', bytes: Buffer.from('a0', 'hex') },
  'a manifest that is compressed': { is: 'zstd', bytes: Buffer.alloc(9) },
  'an endless manifest': { is: 'bytes', bytes: Buffer.alloc(500_000) },
}
const CHUNKS: Record<string, (honest: Uint8Array, first: number) => Answer> = {
  'a changed byte': (honest) => ({ is: 'bytes', bytes: Buffer.from(honest).fill(1, 77, 79) }),
  'another chunk': (_, first) => ({ is: 'bytes', bytes: noise(MIB, first + 99) }),
  'a short chunk': (honest) => ({ is: 'bytes', bytes: honest.subarray(1) }),
  'an empty chunk': () => ({ is: 'bytes', bytes: Buffer.alloc(0) }),
  'no frame': () => Buffer.from('hello'),
  'an empty frame': () => Buffer.alloc(0),
  'a frame that is too long': () => Buffer.alloc(3 * MIB),
  'broken zstd': () => ({ is: 'zstd', bytes: noise(1000) }),
  'a zstd bomb': () => ({ is: 'zstd', bytes: bomb(64 * MIB) }),
  'zstd that is too short': () => ({ is: 'zstd', bytes: bomb(1000) }),
  'zstd with a huge window': () => ({ is: 'zstd', bytes: bomb(MIB, 27) }),
}

describe('providers that lie', () => {
  test.each([...Object.keys(MANIFESTS), ...Object.keys(CHUNKS)])(
    'a provider of %s is dropped and named, and another brings the code',
    async (name) => {
      const there = await publish()
      const told = Promise.withResolvers<void>()
      const here = await fetching(there.code, {
        mallory: twisted(there, (request, honest) =>
          request.want === 'chunks'
            ? (CHUNKS[name]?.((honest as { bytes: Uint8Array }).bytes, request.first) ?? honest)
            : (MANIFESTS[name] ?? honest),
        ),
        alice: async (stream) => {
          await told.promise
          await (await honestServer(there))(stream)
        },
      })
      await expect.poll(() => here.lied).toEqual(['mallory'])
      told.resolve()
      await here.work
      expect(here.streams.opened.filter((peer) => peer === 'mallory')).toEqual(['mallory'])
      expect(here.seen).toContainEqual(['code:provider-invalid', expect.objectContaining({ peer: 'mallory' })])
      expect(Buffer.compare(await readFile(here.store.paths(there.code).tar), there.tar)).toBe(0)
    },
  )
})
