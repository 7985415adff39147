import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { chunkLength } from '../../../../protocols/streams/archive.ts'
import type { ChunkReader } from '../../../../src/code/types.ts'
import { collect, MIB, noise, once, packFiles, testStore } from '../../../fixtures/code/stores.ts'

export const archive = (seed: number, bytes = MIB) =>
  packFiles([{ path: 'content', content: noise(bytes - 3 * 512, seed) }])

export async function chunkOf(reader: ChunkReader | undefined, index: number): Promise<Uint8Array | undefined> {
  if (reader === undefined) return undefined
  const bytes = new Uint8Array(chunkLength(reader.manifest, index))
  return (await reader.read(index, bytes)) ? bytes : undefined
}

/** Everything below the store's folders, whatever it is. */
export async function leftovers(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).filter((path) => path.includes('/')).sort()
}

/** Changes one byte of a file. */
export async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] as number) ^ 1
  await writeFile(path, bytes)
}

/** What a peer would offer. */
export async function manifestOf(tar: AsyncIterable<Uint8Array>) {
  const bytes = await collect(tar)
  const { store } = await testStore()
  const { code } = await store.addTar(once(bytes))
  await using reader = (await store.open(code)) as ChunkReader
  expect((await stat(store.paths(code).tar)).size).toBe(bytes.byteLength)
  return { code, tar: bytes, encoded: reader.encoded }
}
