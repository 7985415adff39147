import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { CHUNK_BYTES } from '../../../../protocols/limits.ts'
import { threadedZstd } from '../../../../src/code/archive/zstd.ts'
import { createChunkCompressor } from '../../../../src/code/serve/chunk-compressor.ts'
import { noise } from '../../../fixtures/code/stores.ts'

/** Which of these chunks are tried: text is worth it, noise is not. */
async function tried(chunks: string): Promise<string> {
  let tries = ''
  const compress = createChunkCompressor(async (chunk, use) => {
    tries = `${tries.slice(0, -1)}x`
    return chunk[0] === 0 ? use(chunk) : undefined
  })
  for (const kind of chunks) {
    tries += '.'
    const small = await compress(kind === 't' ? new Uint8Array(8) : noise(8, 1), (frame) => frame)
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

const zstd = threadedZstd()
const CONTENTS = {
  zeros: new Uint8Array(CHUNK_BYTES),
  digits: Buffer.from(randomBytes(CHUNK_BYTES / 2).toString('hex')),
  noise: randomBytes(CHUNK_BYTES),
}

test.each([
  { kind: 'zeros', isUsed: true, givenBack: 0 },
  { kind: 'digits', isUsed: true, givenBack: 1 },
  { kind: 'noise', isUsed: false, givenBack: 1 },
] as const)('a frame of $kind: memory of its own is given back, and no other', async ({ kind, isUsed, givenBack }) => {
  const transfer = vi.spyOn(ArrayBuffer.prototype, 'transfer')
  onTestFinished(() => transfer.mockRestore())
  const chunk = CONTENTS[kind]
  const frame = await zstd.compress(chunk, (lent) => new Uint8Array(lent))
  if (frame === undefined) expect(isUsed).toBe(false)
  else expect(Buffer.from(chunk).equals(await zstd.decompress(frame, CHUNK_BYTES))).toBe(isUsed)
  expect(transfer).toHaveBeenCalledTimes(givenBack)
})
