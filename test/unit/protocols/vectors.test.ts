import { readdirSync, readFileSync } from 'node:fs'
import * as dagCbor from '@ipld/dag-cbor'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { equals } from 'uint8arrays'
import { describe, expect, it } from 'vitest'
import { hex, type Input, type Refusal, unhex } from '../../../scripts/vectors/kit/kit.ts'
import { perform } from '../../../scripts/vectors/reference-ops/operations.ts'
import { staleVectors } from '../../../scripts/vectors.ts'

type Case = Input & { expect?: Record<string, unknown>; error?: Refusal }

const FOLDER = new URL('../../../protocols/vectors/', import.meta.url)
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

describe.each(FILES)('%s', (file) => {
  it('every case comes to what it says', () => {
    const cases = casesOf(file)
    const meant = cases.map(({ name, expect: wanted, error }) => [
      name,
      error === undefined ? { expect: wanted } : { error: { reason: error.reason, field: error.field } },
    ])
    const got = cases.map(({ expect: _expect, error: _error, ...input }) => [input.name, perform(input as Input)])
    expect(got).toEqual(meant)
  })

  it('has valid and invalid cases', () => {
    const kinds = new Set(casesOf(file).map(({ error }) => error === undefined))
    expect(kinds).toEqual(new Set([true, false]))
  })
})

it('there is a file for every message', () => {
  const messages =
    'access address announcement archive attestation claims code delegation encoding freeze members receipt redirection results service signature status stop stream sync tunnel'
  expect(FILES.toSorted()).toEqual(messages.split(' ').map((name) => `${name}.json`))
})

it('the files are what the generator writes', () => {
  expect(staleVectors()).toEqual([])
})

it('by other implementations: @ipld/dag-cbor accepts what is valid, and of the rest only what this wire narrows', () => {
  const narrowed = /^2\^|^-\(2\^|float 1.5, double|nested|__proto__|^key \/|^link (of|with an identity|with a cut)/
  // it drops a leading U+FEFF while it reads, so that the text can not be written back
  const dropped = 'text that begins with U+FEFF'
  for (const { name, bytes, error } of casesOf('encoding.json').filter(({ op }) => op === 'encoding.decode')) {
    if (name === dropped || (error !== undefined && narrowed.test(name))) continue
    expect([name, isCanonical(unhex(bytes))]).toEqual([name, error === undefined])
  }
})

it('by other implementations: noble verifies what is valid and refuses what is not', () => {
  for (const one of casesOf('signature.json')) {
    if (one.error?.field === 'network' || one.type !== 'ed25519') continue
    const message = signed(one)
    const valid = holds(() => ed25519.verify(unhex(one.sig), message, unhex(one.key), { zip215: false }))
    const subgroup = holds(() => ed25519.Point.fromBytes(unhex(one.key)).isTorsionFree())
    const small = holds(() => ed25519.Point.fromBytes(unhex(one.key)).isSmallOrder())
    // noble takes an R of small order, which the specification refuses before any library sees it
    const smallR = holds(() => ed25519.Point.fromBytes(unhex(one.sig).subarray(0, 32), true).isSmallOrder())
    expect([one.name, valid && subgroup && !small && !smallR]).toEqual([one.name, one.error === undefined])
  }
})

it('by other implementations: noble verifies BLS with the ciphersuite of the specification', () => {
  const { longSignatures } = bls12_381
  for (const one of casesOf('signature.json').filter(({ type }) => type === 'bls12-381')) {
    const message = longSignatures.hash(signed(one), 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_')
    // noble takes the uncompressed form too, which the wire has not
    const short = unhex(one.sig).byteLength === 96
    const valid = short && holds(() => longSignatures.verify(unhex(one.sig), message, unhex(one.key)))
    expect([one.name, valid]).toEqual([one.name, one.error === undefined])
  }
})

function casesOf(file: string): Case[] {
  return (JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { cases: Case[] }).cases
}

/** The bytes that the specification says are signed, put together here once more. */
function signed({ network, kind, body }: Case): Uint8Array {
  return unhex(`${hex(new TextEncoder().encode(`thundercloud/${network}/${kind}/1`))}00${body}`)
}

function isCanonical(bytes: Uint8Array): boolean {
  return holds(() => equals(dagCbor.encode(dagCbor.decode(bytes)), bytes))
}

function holds(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}
