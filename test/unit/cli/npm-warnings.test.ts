import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { npmWarnings } from '../../../src/cli/publishing/warnings.ts'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb']

/** What npm itself puts into the package of this folder. */
function packed(dir: string): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline']
  const answer = JSON.parse(execFileSync('npm', args, { cwd: dir, encoding: 'utf8', stdio: 'pipe' }))
  return answer[0].files.map(({ path }: { path: string }) => path)
}

test('names the lock files and links that npm leaves out of a package, and no others', async () => {
  const dir = await tempDir()
  const paths = ['a.js', ...LOCK_FILES, ...LOCK_FILES.map((name) => `lib/${name}`)]
  mkdirSync(`${dir}/lib`)
  for (const path of paths) writeFileSync(`${dir}/${path}`, '{}\n')
  writeFileSync(`${dir}/package.json`, JSON.stringify({ name: 'a', version: '1.0.0' }))
  symlinkSync('a.js', `${dir}/link.js`)
  symlinkSync('../a.js', `${dir}/lib/link.js`)

  const inPackage = packed(dir)
  const leftOut = [...paths, 'link.js', 'lib/link.js'].filter((path) => !inPackage.includes(path))
  const entries = await listFolder(dir)
  const named = npmWarnings(entries).flatMap((warning) => warning.match(/[\w/-]+\.(js|json|lock|lockb|yaml)\b/g) ?? [])
  expect(named.toSorted()).toEqual(leftOut.toSorted())
  expect(npmWarnings(entries)).toEqual([
    'npm leaves out package-lock.json, yarn.lock, pnpm-lock.yaml, bun.lockb, so a package of this folder is other code',
    'npm leaves out links, so a package of this folder is other code: lib/link.js, link.js',
  ])
})

test('says nothing of a folder that is no package', async () => {
  const dir = await tempDir()
  writeFileSync(`${dir}/package-lock.json`, '{}\n')
  symlinkSync('package-lock.json', `${dir}/link`)
  expect(npmWarnings(await listFolder(dir))).toEqual([])
})
