import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { fetchCode } from '../../../src/code/fetch.ts'
import { MIB, noise, packFiles, testMesh, testStore } from './support.ts'

describe('fetching a code', () => {
  test('from one peer, whole and verified', async () => {
    const there = await testStore()
    const here = await testStore()
    const content = noise(5 * MIB + 77)
    const { code, size } = await there.store.addTar(
      packFiles([
        { path: 'a.bin', content },
        { path: 'z/b.txt', content: 'hello' },
      ]),
    )
    const progress: number[] = []
    await fetchCode({ ...here, streams: testMesh({ alice: there.store }) }, code, {
      providers: () => ['alice'],
      onProgress: ({ bytes }) => progress.push(bytes),
    })
    expect(here.store.has(code)).toBe(true)
    expect(await readFile(here.store.paths(code).tar)).toEqual(await readFile(there.store.paths(code).tar))
    expect(progress.at(-1)).toBe(size)
    expect(here.seen.map(([name]) => name)).toContain('code:fetch-finished')
  })
})
