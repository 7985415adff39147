import { expect, test } from 'vitest'
import { decodeCanonical, toDagJson } from '../../../protocols/encoding.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { announcementOf, newSigner } from '../../fixtures/node/fake-node.ts'
import { apiOnLoopback } from './harness.ts'

const COUNT = 1_000
const SEED = process.env.SEED ?? String(process.pid)

/** Flips, cuts, doubles and inserts: what a broken or hostile program sends. */
function mutate(bytes: Uint8Array, rng: ReturnType<typeof seededRng>): Uint8Array {
  const copy = Buffer.from(bytes)
  switch (rng.int(5)) {
    case 0:
      for (let count = rng.int(8) + 1; count > 0; count--) copy[rng.int(copy.length)] = rng.int(256)
      return copy
    case 1:
      return copy.subarray(0, rng.int(copy.length))
    case 2: {
      const at = rng.int(copy.length)
      return Buffer.concat([copy.subarray(0, at), rng.bytes(rng.int(64) + 1), copy.subarray(at)])
    }
    case 3: {
      const [from, length] = [rng.int(copy.length), rng.int(200)]
      return Buffer.concat([copy, copy.subarray(from, from + length), rng.bytes(1)])
    }
    default:
      return Buffer.concat([rng.bytes(rng.int(40_000))])
  }
}

test(`${COUNT} mutated bodies: each a 4xx with a sentence, nothing stored, no growth (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  await using it = await apiOnLoopback()
  const rng = seededRng(SEED)
  const { bytes } = announcementOf(newSigner(), it)
  const manifest = Buffer.from(JSON.stringify({ name: 'x', toolchain: ['node.js'], run: { command: ['node'] } }))
  const seeds: [string, Uint8Array][] = [
    ['application/cbor', bytes],
    ['application/json', Buffer.from(toDagJson(decodeCanonical(bytes)))],
    ['application/json', Buffer.from(toDagJson({ announcement: decodeCanonical(bytes) }))],
    ['application/json', manifest],
  ]
  const send = async (index: number) => {
    const [type, body] = seeds[index % seeds.length] as [string, Uint8Array]
    const mutated = mutate(body, rng)
    if (Buffer.compare(mutated, body) === 0) return
    const response = await fetch(`${it.served.url}/service`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: mutated,
    })
    const text = await response.text()
    const what = `body ${index} (${type}): ${Buffer.from(mutated).toString('base64').slice(0, 200)}`
    expect(response.status, what).toBeGreaterThanOrEqual(400)
    expect(response.status, what).toBeLessThan(500)
    const { error } = JSON.parse(text) as { error: string }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be in a sentence
    expect(error, what).toMatch(/^[^\u0000-\u001f\u007f-\u009f]{3,700}$/)
  }
  for (let index = 0; index < 200; index++) await send(index)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let index = 200; index < COUNT; index++) await send(index)
  globalThis.gc?.()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
  expect(it.node.announcements).toEqual([])
  expect(it.node.services()).toEqual([])
  expect(it.lines.filter((line) => line.includes('a request failed'))).toEqual([])
  expect((await it.client.announce(bytes)).outcome).toBe('new')
})
