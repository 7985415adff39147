import { describe, expect, it } from 'vitest'
import { seededRng, systemRng } from '../../../src/base/rng.ts'

it('chance from a seed: is the same for the same seed, on every machine', () => {
  const draw = (seed: string) => {
    const rng = seededRng(seed)
    return [Buffer.from(rng.bytes(8)).toString('hex'), rng.int(1000), rng.uuid(), rng.fraction()]
  }
  expect(draw('a')).toEqual(draw('a'))
  expect(draw('a')).not.toEqual(draw('b'))
  expect(draw('a').slice(0, 3)).toMatchInlineSnapshot(`
    [
      "d7e98967056f4828",
      465,
      "008ab504-4997-b38f-1d0c-ac9e7fb08d89",
    ]
  `)
})

it('chance from a seed: does not depend on how many bytes are asked for at once', () => {
  expect(seededRng('a').bytes(100)).toHaveLength(100)
  expect(seededRng('a').bytes(0)).toHaveLength(0)
  expect(seededRng('a').bytes(40).slice(0, 32)).toEqual(seededRng('a').bytes(32))
})

describe.each([
  ['seeded', seededRng('range')],
  ['system', systemRng()],
])('%s chance', (_name, rng) => {
  it('stays in its range and reaches all of it', () => {
    const seen = new Set<number>()
    for (let draw = 0; draw < 2000; draw++) {
      seen.add(rng.int(7))
      const fraction = rng.fraction()
      expect(fraction >= 0 && fraction < 1).toBe(true)
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('gives names that differ', () => {
    const names = new Set(Array.from({ length: 100 }, () => rng.uuid()))
    expect(names.size).toBe(100)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    expect(rng.bytes(16)).toHaveLength(16)
  })
})
