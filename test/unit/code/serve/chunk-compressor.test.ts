import { expect, test } from 'vitest'
import { createChunkCompressor } from '../../../../src/code/serve/chunk-compressor.ts'
import { noise } from '../../../fixtures/code/stores.ts'

/** Which of these chunks are tried: text is worth it, noise is not. */
async function tried(chunks: string): Promise<string> {
  let tries = ''
  const compress = createChunkCompressor(async (chunk) => {
    tries = `${tries.slice(0, -1)}x`
    return chunk[0] === 0 ? chunk : undefined
  })
  for (const kind of chunks) {
    tries += '.'
    const small = await compress(kind === 't' ? new Uint8Array(8) : noise(8, 1))
    expect(small === undefined).toBe(kind === 'n' || tries.endsWith('.'))
  }
  return tries
}

test.each([
  ['text is compressed, chunk after chunk', 'ttttt', 'xxxxx'],
  ['noise is tried less and less often', 'n'.repeat(45), 'x.x...x.......x...............x..............'],
  ['where text begins after noise, it is found, and then each chunk is tried', 'nnnntttttnt', 'x.x...xxxx.'],
])('%s', async (_, chunks, tries) => {
  expect(await tried(chunks)).toBe(tries)
})
