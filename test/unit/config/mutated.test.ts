import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import { issueTicket } from '../../../protocols/redirection.ts'
import { decodeService, encodeService } from '../../../protocols/service.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { InputError } from '../../../src/base/errors.ts'
import { loadConfiguration, loadManifest, manifestToBody } from '../../../src/config/index.ts'
import { newKeyPem } from '../../../src/config/keys/key-file.ts'
import { it, ROOT } from '../../fixtures/config/folder.ts'
import { forAllAsync } from '../../fixtures/property.ts'

const FILES = ['node.json', 'services.json', 'runners/andromeda/config.json']

/** Cut, doubled, or with a stretch replaced: what editors, disks and typos do to a text. */
const textMutation = fc.record({
  at: fc.nat(10_000),
  length: fc.nat(40),
  insert: fc.string({ maxLength: 20, unit: 'binary' }),
})

/** Another value in some place, a key that is renamed, gone, or new. */
const valueMutation = fc.record({
  place: fc.nat(10_000),
  act: fc.constantFrom('replace', 'rename', 'remove', 'add'),
  key: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('MEMORY', 'DEPTH', 'name', 'constructor', 'toString')),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(-1, 2 ** 53, 1e308, '9'.repeat(400), '/ip4/1.2.3.4', 'https://'),
  ),
})

function mutateText(text: string, { at, length, insert }: { at: number; length: number; insert: string }): string {
  const start = at % text.length
  return text.slice(0, start) + insert + text.slice(start + length)
}

type Mutation = { place: number; act: string; key: string; value: unknown }

function mutateValue(text: string, { place, act, key, value }: Mutation): string {
  const root: unknown = JSON.parse(text)
  const places: { holder: Record<string, unknown>; key: string }[] = []
  const walk = (holder: unknown) => {
    if (typeof holder !== 'object' || holder === null) return
    for (const name of Object.keys(holder)) {
      places.push({ holder: holder as Record<string, unknown>, key: name })
      walk((holder as Record<string, unknown>)[name])
    }
  }
  walk(root)
  const { holder, key: name } = places[place % places.length] as (typeof places)[number]
  // JSON has no lists whose length is anything else than a count
  const put = (at: string, item: unknown) => {
    if (!Array.isArray(holder) || at !== 'length') holder[at] = item
  }
  if (act === 'add') put(key, value)
  if (act === 'replace') holder[name] = value
  if (act === 'rename') put(key, holder[name])
  if (act === 'rename' || act === 'remove') delete holder[name]
  return JSON.stringify(root)
}

/** Valid, or refused with one clear sentence. */
async function expectClear(work: () => Promise<unknown>): Promise<'valid' | 'refused'> {
  try {
    await work()
    return 'valid'
  } catch (error) {
    expect(error).toBeInstanceOf(InputError)
    const { message } = error as Error
    expect(message).toMatch(/^[^\n\r]{10,1000}$/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    return 'refused'
  }
}

describe.each([
  ['texts', textMutation, mutateText],
  ['values', valueMutation, mutateValue],
] as const)('1,000 mutated files, by %s: valid, or one clear sentence', (_name, mutation, mutate) => {
  it('configurations', async ({ operator: temp }) => {
    const { dir } = temp
    const originals = await Promise.all(FILES.map((file) => readFile(join(dir, file), 'utf8')))
    const outcomes = { valid: 0, refused: 0 }
    await forAllAsync(500, [fc.nat(FILES.length - 1), mutation as fc.Arbitrary<never>], async (index, change) => {
      const path = join(dir, FILES[index] as string)
      await writeFile(path, mutate(originals[index] as string, change))
      outcomes[await expectClear(() => loadConfiguration(dir))]++
      await writeFile(path, originals[index] as string)
    })
    expect(outcomes.refused).toBeGreaterThan(100)
    expect(outcomes.valid).toBeGreaterThan(10)
  })

  it('manifests; and what is valid can be signed', async ({ temp }) => {
    const original = await readFile(join(ROOT, 'configs/examples/hello-web/service.json'), 'utf8')
    const author = ed25519Signer(newKeyPem()).address
    const { reach } = issueTicket(3, new Uint8Array(32))
    const signing = { author, seq: 0, issued: 1_700_000_000, code: cidOfBytes(new Uint8Array(1)), replyTo: [], reach }
    const outcomes = { valid: 0, refused: 0 }
    await forAllAsync(500, [mutation as fc.Arbitrary<never>], async (change) => {
      const path = temp.in('service.json')
      await writeFile(path, mutate(original, change))
      const outcome = await expectClear(async () => {
        const body = manifestToBody(await loadManifest(path), signing)
        expect(decodeService(encodeService(body))).toEqual(body)
      })
      outcomes[outcome]++
    })
    expect(outcomes.refused).toBeGreaterThan(100)
    expect(outcomes.valid).toBeGreaterThan(10)
  })
})
