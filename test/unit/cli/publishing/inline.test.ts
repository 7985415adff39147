import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { identify, listFolder, packEntries } from '../../../../src/code/index.ts'
import { type ShellWithNode, test } from '../../../fixtures/program/shell.ts'

const MANIFEST = { name: 'hello', toolchain: ['node.js'], run: { command: ['node', 'a.js'] } }

function writeService({ path }: Pick<ShellWithNode, 'path'>, program: Uint8Array | string, change: object = {}): void {
  mkdirSync(path('hello'), { recursive: true })
  writeFileSync(path('hello', 'service.json'), JSON.stringify({ ...MANIFEST, ...change }))
  writeFileSync(path('hello', 'a.js'), program)
}

test('publish --inline sends the archive in the announcement, before what else the manifest names', async ({
  withNode: shell,
}) => {
  const https = { type: 'https', url: 'https://example.org/hello.tar' }
  writeService(shell, 'hello\n', { sources: [https] })
  await shell.run('publish hello --inline')
  const entries = await listFolder(shell.path('hello'), {})
  const archive = Uint8Array.from(Buffer.concat(await Array.fromAsync(packEntries(entries, {}))))
  expect(shell.node.announcements[0]?.signed.body).toMatchObject({
    code: (await identify(entries, {})).code,
    sources: [{ type: 'inline', bytes: archive }, https],
  })
})

test('code that does not fit into an announcement is refused, with the sizes, before anything is announced', async ({
  withNode: shell,
}) => {
  writeService(shell, randomBytes(20_000))
  await shell.refused('publish hello --inline', /--inline: the code has 22\.5 KiB as an archive.*at most 16 KiB/)
  await shell.refused('publish hello --inline --dry-run', /--inline: the code has 22\.5 KiB/)
  // the archive alone would fit
  writeService(shell, randomBytes(13_000))
  // the first line says that a key was made
  const taken = /allowed are at most \d+: the code takes most of it; publish it without/
  await shell.refused('publish hello --inline', taken, { lines: 2 })
  expect(shell.node.announcements).toEqual([])
})
