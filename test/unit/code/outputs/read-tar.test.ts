import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadArchiveError } from '../../../../src/code/errors.ts'
import { type LeftEntry, readLeftTar } from '../../../../src/code/outputs/read-tar.ts'
import { forAllAsync } from '../../../fixtures/property.ts'
import { mutated, TAR } from './hostile-left-tars.ts'

/** What a reader makes of a tar that comes in pieces. */
async function read(tar: Uint8Array, pieceBytes: number) {
  const entries: LeftEntry[] = []
  let bytes = 0
  async function* pieces() {
    for (let at = 0; at < tar.byteLength; at += pieceBytes) yield tar.subarray(at, at + pieceBytes)
  }
  const sink = {
    entry: (entry: LeftEntry) => void entries.push(entry),
    data(piece: Uint8Array) {
      bytes += piece.byteLength
    },
  }
  const error = await readLeftTar(pieces(), sink).catch((reason: unknown) => reason)
  return { entries, bytes, error }
}

test('the tar that is changed below is read', async () => {
  const { entries, bytes, error } = await read(TAR, 700)
  expect(error).toBeUndefined()
  expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
    ['out', 'folder'],
    ['out/a.txt', 'file'],
    [`out/${'long/'.repeat(40)}b`, 'file'],
    ['out/link', 'link'],
    ['out/twin', 'hard-link'],
    ['out/pipe', 'other'],
  ])
  expect(bytes).toBe(1500 + 1)
})

test('a tar that is changed anywhere is read to its end, or refused in one sentence', async () => {
  await forAllAsync(1500, [mutated, fc.integer({ min: 1, max: 4096 })], async (tar, pieceBytes) => {
    const { entries, bytes, error } = await read(tar, pieceBytes)
    if (error !== undefined) {
      // pieces that end in the middle are a transfer that broke
      if ((error as Error).message !== 'what a task left is cut') expect(error).toBeInstanceOf(BadArchiveError)
      expect((error as Error).message).toMatch(/^[a-z][^\n]{5,200}$/)
    }
    // nothing is made of nothing
    expect(bytes).toBeLessThanOrEqual(tar.byteLength)
    expect(entries.length).toBeLessThanOrEqual(tar.byteLength / 512)
  })
})
