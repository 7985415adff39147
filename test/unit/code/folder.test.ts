import { symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import { packedPaths, writeFiles } from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const IGNORE = '.thundercloudignore'

/** A folder with empty files of these names, and rules by which some of them are left out. */
async function folder(files: string, ignored?: string) {
  const dir = await tempDir()
  const rules = (text: string) => writeFile(join(dir, IGNORE), text)
  await writeFiles(dir, Object.fromEntries(files.split(',').map((file) => [file, ''])))
  if (ignored !== undefined) await rules(ignored)
  return { dir, rules, packed: async () => (await packedPaths(dir)).join() }
}

describe('a folder to pack', () => {
  test('comes without the history of the project', async () => {
    const { packed } = await folder('a.js,.git/HEAD,sub/.git,.thundercloud/state,.env,node_modules/x/index.js')
    expect(await packed()).toBe('.env,a.js,node_modules/x/index.js')
  })

  test('leaves out what .thundercloudignore names', async () => {
    const rules = ['# comment', '', '*.log', '!keep.log', '/build/', 'docs/**/*.md', 'x?', '\\#odd', 'secret/']
    const files = 'a.js,a.log,deep/b.log,deep/keep.log,build/out.js,src/build/x,src/build.ts'
    const more = 'docs/a/b.md,docs/b.md,docs/c.txt,x1,x12,#odd,secret/key,secret/keep.log'
    const { packed } = await folder(`${files},${more}`, rules.join('\r\n'))
    expect(await packed()).toBe('a.js,deep/keep.log,docs/c.txt,src/build.ts,src/build/x,x12')
  })

  test('rules have the syntax of .gitignore', async () => {
    const rules =
      '\ufeffa[0-9]\na[[:upper:]]\na[]]\nbuild/\n!build/keep\n*.log\nx/***/deep\nsp\\ \n\\!no\nstar\\*\nno\\\n[un'
    const { packed } = await folder('a1,aB,ab,a],build/x,build/keep,A.LOG,x/y/z/deep,x/deep,sp ,!no,star*', rules)
    expect(await packed()).toBe('A.LOG,ab')
  })

  test('nothing takes back what is never packed', async () => {
    const { packed } = await folder('a.js,sub/.git/HEAD', '!.git\n!.git/\n!**/.git/**')
    expect(await packed()).toBe('a.js')
  })

  test('a rule that would keep the matcher busy for ever is refused by its line, or costs nothing', async () => {
    const { dir, rules } = await folder(`${'a'.repeat(200)},${'a/'.repeat(100)}a`)
    await rules(`${'*a'.repeat(60)}b\n${'**/'.repeat(60)}c\nx${'/***/**'.repeat(60)}/c\n**/a/**/b/**`)
    expect(await packedPaths(dir)).toHaveLength(2)
    await rules('# comment, a/**/b/**/c/**/d\n!a/**/a/**/a/***/b')
    const why = '"!a/**/a/**/a/**/b" has 3 "**/"; a rule has at most 2: leave out the folder above'
    await expect(listFolder(dir)).rejects.toThrow(`${IGNORE}, line 2: ${why}`)
    await rules('a/**/a/**/b\n'.repeat(51))
    await expect(listFolder(dir)).rejects.toThrow('.thundercloudignore has 102 "/**/"; it may have 100')
    await rules('**/build\n'.repeat(200))
    expect(await packedPaths(dir)).toHaveLength(2)
  })

  test('links and special files are refused by name, with the way out', async () => {
    const { dir, rules, packed } = await folder('a.js,sub/b.js')
    await symlink('/etc/passwd', join(dir, 'sub/link'))
    const wayOut = `which is absolute; replace or rename it, or name it in ${IGNORE}`
    await expect(listFolder(dir)).rejects.toThrow(`"sub/link" is a link to "/etc/passwd", ${wayOut}`)
    await rules('link')
    expect(await packed()).toBe('a.js,sub/b.js')
    const server = createServer().listen(join(dir, 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    await expect(listFolder(dir)).rejects.toThrow('"socket" is neither a file nor a folder nor a link')
    await new Promise((resolve) => server.close(resolve))
  })

  test('names that are not UTF-8, folders that are none, and empty ones', async () => {
    const dir = await tempDir()
    await expect(listFolder(dir)).rejects.toThrow('has no files to pack')
    await expect(listFolder(join(dir, 'none'))).rejects.toThrow('cannot be read (ENOENT); name a folder')
    await writeFile(join(dir, 'a'), '')
    await expect(listFolder(join(dir, 'a'))).rejects.toThrow('is no folder')
    await writeFile(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x62, 0xff])]), '')
    await expect(listFolder(dir)).rejects.toThrow('has a name that is not UTF-8; replace or rename it')
  })
})
