import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { madeOnce } from '../../fixtures/made-once.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const patience = () => ({ signal: AbortSignal.timeout(45_000) })

test('what all files of a run share is made by one of them, and the others wait until it is whole', async () => {
  const shared = await tempDir()
  let made = 0
  const ask = () =>
    madeOnce(
      'thing',
      async (dir) => {
        made++
        await new Promise((resolve) => setTimeout(resolve, 50))
        await writeFile(join(dir, 'file'), 'whole')
      },
      { ...patience(), shared },
    )
  const folders = [...(await Promise.all([ask(), ask(), ask()])), await ask()]
  expect(new Set(folders)).toEqual(new Set([join(shared, 'thing')]))
  expect(await readFile(join(shared, 'thing', 'file'), 'utf8')).toBe('whole')
  expect(made).toBe(1)
})

test('where it could not be made, the next one tries', async () => {
  const shared = await tempDir()
  const fails = madeOnce('thing', () => Promise.reject(new Error('no')), { ...patience(), shared })
  await expect(fails).rejects.toThrow('no')
  expect(await madeOnce('thing', async () => {}, { ...patience(), shared })).toBe(join(shared, 'thing'))
})

test('who waits for one that never ends it says so in time', async () => {
  const shared = await tempDir()
  const [begun, never] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const make = () => {
    begun.resolve()
    return never.promise
  }
  const first = madeOnce('thing', make, { ...patience(), shared })
  await begun.promise
  await expect(madeOnce('thing', async () => {}, { signal: AbortSignal.timeout(10), shared })).rejects.toThrow(
    /timeout/,
  )
  never.resolve()
  await first
})
