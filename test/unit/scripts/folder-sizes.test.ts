import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tooManyFiles } from '../../../scripts/folder-sizes.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

test('a folder with too many files is named, and so is one that has too many below', async () => {
  const root = await tempDir()
  const fill = async (folder: string, count: number) => {
    await mkdir(join(root, folder), { recursive: true })
    for (let index = 0; index < count; index++) await writeFile(join(root, folder, `${index}.ts`), '')
  }
  for (const folder of ['protocols', 'scripts', 'src/a', 'src/node/a', 'test']) await fill(folder, 25)
  await fill('src/node', 5)
  expect(tooManyFiles(root)).toEqual([])
  await fill('src/a', 26)
  await fill('src/node', 6)
  await fill('src/node_modules', 90)
  expect(tooManyFiles(root)).toEqual([
    expect.stringMatching(/^src\/a has 26 files, at most 25/),
    expect.stringMatching(/^src\/node has 31 files in all, at most 30/),
  ])
})
