import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contentsSchema } from '../../../src/backup/contents.ts'
import { listOperatorFiles } from '../../../src/backup/operator-files.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

test('all files but the data and the token, with their modes; what is no plain file is named', async () => {
  const dir = await tempDir()
  for (const folder of ['data', 'runners/mine', 'services/data']) await mkdir(join(dir, folder), { recursive: true })
  const files = [
    'node.json',
    'api.token',
    'data/journal.sqlite',
    'runners/mine/runner.js',
    'services/data/kept',
    'identity.pem',
  ]
  for (const file of files) await writeFile(join(dir, file), file, { mode: 0o600 })
  await symlink('/etc/passwd', join(dir, 'link'))
  const { files: listed, left } = await listOperatorFiles(dir, join(dir, 'data'))
  expect(listed.map(({ path }) => path).toSorted()).toEqual([
    'identity.pem',
    'node.json',
    'runners/mine/runner.js',
    'services/data/kept',
  ])
  expect(new Set(listed.map(({ mode }) => mode))).toEqual(new Set([0o600]))
  expect(left).toEqual(['link'])
})

test.each(['../outside', '/etc/passwd', 'a/../../b', 'a//b', ''])(
  'a backup that names the path %j is refused',
  (path) => {
    const file = contentsSchema.shape.files.safeParse([{ path, mode: 0o600 }])
    expect(file.success).toBe(false)
  },
)
