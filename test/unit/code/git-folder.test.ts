import { execFileSync } from 'node:child_process'
import { chmod, chown, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import { packedPaths, writeFiles } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

const git = (dir: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'protocol.file.allow=always', ...args], {
    cwd: dir,
    stdio: 'pipe',
  })

async function repository(files: Record<string, string>): Promise<string> {
  const dir = await tempDir()
  await writeFiles(dir, files)
  git(dir, 'init', '-q')
  git(dir, 'add', '-A')
  git(dir, 'commit', '-qm', 'a')
  return dir
}

describe.skipIf(!needs('git'))('a folder in a work tree of git', () => {
  test('is what git tracks and what no .gitignore names, also below a folder of it', async () => {
    const dir = await repository({ '.gitignore': 'dist/\n', 'a.js': '', 'sub/.gitignore': '*.tmp\n', 'sub/b.js': '' })
    await writeFiles(dir, { 'dist/out.js': '', 'sub/new.js': '', 'sub/x.tmp': '', 'node_modules/x/i.js': '' })
    expect(await packedPaths(dir)).toEqual(['a.js', 'node_modules/x/i.js', 'sub/b.js', 'sub/new.js'])
    expect(await packedPaths(join(dir, 'sub'))).toEqual(['b.js', 'new.js'])
  })

  test('that git does not answer about ends, in one sentence', async () => {
    const dir = await repository({ 'a.js': '' })
    await rm(join(dir, '.git/index'))
    execFileSync('mkfifo', [join(dir, '.git/index')])
    const clock = manualClock(0)
    const listing = listFolder(dir, { clock })
    let over = false
    listing
      .catch(() => {})
      .finally(() => {
        over = true
      })
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(10_000)
    }
    await expect(listing).rejects.toThrow(/^git does not answer about .* within 120 s; say in \.thundercloudignore/)
  })

  test('tracked files that are ignored belong to it, deleted ones do not; links are links', async () => {
    const dir = await repository({ 'a.js': '', 'b.js': '', 'keep.log': '' })
    await writeFile(join(dir, '.gitignore'), '*.log\n')
    await writeFile(join(dir, 'other.log'), '')
    await rm(join(dir, 'b.js'))
    await symlink('a.js', join(dir, 'link'))
    expect(await packedPaths(dir)).toEqual(['a.js', 'keep.log', 'link'])
  })

  test('its .thundercloudignore alone decides where there is one', async () => {
    const dir = await repository({ '.gitignore': 'dist/\n', 'a.js': '', 'test/t.js': '' })
    await writeFiles(dir, { 'dist/out.js': '', '.thundercloudignore': 'test/' })
    expect(await packedPaths(dir)).toEqual(['a.js', 'dist/out.js'])
  })

  test('a submodule is refused by name', async () => {
    const inner = await repository({ 'x.js': '' })
    const dir = await repository({ 'a.js': '' })
    git(dir, 'submodule', '--quiet', 'add', inner, 'vendor')
    await expect(listFolder(dir)).rejects.toThrow('"vendor" is a submodule, whose files the repository does not have')
  })

  test("the repository's own configuration starts no program", async () => {
    const dir = await repository({ 'a.js': '' })
    await writeFile(join(dir, 'monitor'), `#!/bin/sh\ntouch ${join(dir, 'started')}\n`)
    await chmod(join(dir, 'monitor'), 0o755)
    git(dir, 'config', 'core.fsmonitor', join(dir, 'monitor'))
    expect(await packedPaths(dir)).toEqual(['a.js', 'monitor'])
  })
})

describe.skipIf(!needs('git'))('a hostile repository', () => {
  test('what it says to fetch missing objects with is not started', async () => {
    const dir = await repository({ 'a/x.js': '', 'b/y.js': '' })
    const started = join(await tempDir(), 'started')
    git(dir, 'config', 'index.sparse', 'true')
    git(dir, 'sparse-checkout', 'init', '--cone', '--sparse-index')
    git(dir, 'sparse-checkout', 'set', 'a')
    const tree = git(dir, 'rev-parse', 'HEAD:b').toString().trim()
    await rm(join(dir, '.git/objects', tree.slice(0, 2), tree.slice(2)))
    const settings = {
      'core.repositoryformatversion': '1',
      'extensions.partialClone': 'origin',
      'remote.origin.promisor': 'true',
      'remote.origin.url': dir,
      'remote.origin.uploadpack': `sh -c 'touch ${started}' #`,
    }
    for (const [key, value] of Object.entries(settings)) git(dir, 'config', key, value)
    await listFolder(dir).catch(() => {})
    await expect(stat(started)).rejects.toThrow('ENOENT')
  })

  test('a path of the index that leads through a link by now is not read', async () => {
    const outside = await tempDir()
    await writeFiles(outside, { passwd: 'secret' })
    const dir = await repository({ 'a.js': '', 'link/passwd': 'x' })
    await rm(join(dir, 'link'), { recursive: true })
    await symlink(outside, join(dir, 'link'))
    await writeFile(join(dir, '.gitignore'), '/link\n')
    expect(await packedPaths(dir)).toEqual(['a.js'])
  })

  test.skipIf(process.getuid?.() !== 0)('of a .git that belongs to another user is refused', async () => {
    const dir = await repository({ 'a.js': '' })
    await chown(join(dir, '.git'), 65_534, 65_534)
    await expect(listFolder(dir)).rejects.toThrow(/git cannot list .*; mend it, or say in \.thundercloudignore/)
  })
})

test('a mode comes from the content, not from the disk', async () => {
  const dir = await tempDir()
  await writeFiles(dir, { script: '#!/bin/sh\n', data: 'x' })
  await chmod(join(dir, 'data'), 0o755)
  await chmod(join(dir, 'script'), 0o600)
  const entries = await listFolder(dir)
  const modes = entries.map((entry) => `${entry.path} ${'executable' in entry && entry.executable}`)
  expect(modes).toEqual(['data false', 'script true'])
})
