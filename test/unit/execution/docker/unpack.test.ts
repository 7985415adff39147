import { lstat, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Header, list, type ReadEntry } from 'tar'
import { beforeEach, describe, expect, it } from 'vitest'
import { unpackBuilt } from '../../../../src/execution/docker/build/unpack.ts'
import { entriesOf, tarOf } from '../../../../src/execution/docker/images/image-tar.ts'
import { RunRefusedError } from '../../../../src/execution/index.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

type Entry = {
  path: string
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice'
  to?: string
  text?: string
  mode?: number
}

describe('what a build has left', () => {
  let dir: string
  let target: string
  beforeEach(async () => {
    dir = await tempDir()
    target = join(dir, 'target')
    await writeFile(join(dir, 'secret'), 'mine')
  })

  const unpack = (entries: Entry[], max = 1_000_000) => unpackBuilt(archive(entries), target, max)

  it('is unpacked as it is, but for its owners', async () => {
    await unpack([
      { path: './', type: 'Directory' },
      { path: './a/b.txt', text: 'hello' },
      { path: 'run.sh', text: 'x', mode: 0o4755 },
      { path: 'empty' },
      { path: 'link', type: 'SymbolicLink', to: '/code/a/b.txt' },
      { path: 'hardlink', type: 'Link', to: 'a/b.txt' },
      { path: 'null', type: 'CharacterDevice' },
    ])
    expect((await readdir(target)).sort()).toEqual(['a', 'empty', 'hardlink', 'link', 'run.sh'])
    expect(await readFile(join(target, 'a/b.txt'), 'utf8')).toBe('hello')
    expect(await readFile(join(target, 'hardlink'), 'utf8')).toBe('hello')
    expect(await readlink(join(target, 'link'))).toBe('/code/a/b.txt')
    expect((await stat(join(target, 'run.sh'))).mode & 0o7777).toBe(0o755)
  })

  const up: Entry = { path: 'l', type: 'SymbolicLink', to: '..' }
  it.each<[string, ...Entry[]]>([
    ['a path that climbs', { path: '../out', text: 'x' }],
    ['a path from the root', { path: '/tmp/tc-out', text: 'x' }],
    ['a folder that was a link', up, { path: 'l/out', text: 'x' }],
    ['a link in a folder that is a link', up, { path: 'l/out', type: 'SymbolicLink', to: 'x' }],
    ['a hard link to what is ours', { path: 'l', type: 'Link', to: '../secret' }],
    ['a hard link through a link', up, { path: 'm', type: 'Link', to: 'l/secret' }],
    ['a file twice', { path: 'a', text: '1' }, { path: 'a', text: '2' }],
  ])('with %s writes nothing outside', async (_what, ...entries) => {
    await expect(unpack(entries)).rejects.toThrow()
    expect((await readdir(dir)).sort()).toEqual(['secret', 'target'])
    expect(await readFile(join(dir, 'secret'), 'utf8')).toBe('mine')
    expect((await lstat(join(dir, 'secret'))).nlink).toBe(1)
  })

  it('over the grant is not kept', async () => {
    await expect(unpack([{ path: 'big', text: 'x'.repeat(20_000) }], 10_000)).rejects.toThrow(RunRefusedError)
    const many = Array.from({ length: 100 }, (_, n) => ({ path: `f${n}` }))
    await expect(unpack(many, 10_000)).rejects.toThrow(/wrote more than the 10000 bytes/)
  })

  it('that breaks off, or is no archive, is an error', async () => {
    const whole = Buffer.concat(await Array.fromAsync(archive([{ path: 'a', text: 'x'.repeat(5000) }])))
    for (const [index, bytes] of [whole.subarray(0, 2000), Buffer.alloc(5000, 'junk')].entries())
      await expect(unpackBuilt(Readable.from([bytes]), join(dir, `${index}`), 10_000)).rejects.toThrow()
  })

  it('comes back the way it went', async () => {
    await unpack([
      { path: 'a/b', text: 'one' },
      { path: 'l', type: 'SymbolicLink', to: 'a/b' },
    ])
    await unpackBuilt(tarOf(entriesOf(target, 'code'), 65534), join(dir, 'again'), 1_000_000)
    expect(await readFile(join(dir, 'again/code/l'), 'utf8')).toBe('one')
  })
})

it('our tar is read by others', async () => {
  const dir = await tempDir()
  await writeFile(join(dir, 'file'), 'y'.repeat(70_000))
  await writeFile(join(dir, 'empty'), '')
  const far = `${'d'.repeat(120)}/${'ü'.repeat(100)}`
  const entries = [
    { path: 'etc', folder: true, mode: 0o755 } as const,
    { path: 'etc/a', text: 'hello', mode: 0o644 },
    { path: 'bin/b', file: join(dir, 'file'), mode: 0o755 },
    { path: 'bin/e', file: join(dir, 'empty'), mode: 0o755 },
    { path: 'bin/l', link: 'b' },
    { path: far, text: 'far', mode: 0o600 },
    { path: 'bin/far', link: 'f'.repeat(200) },
  ]
  await writeFile(join(dir, 'tar'), Readable.from(tarOf(entries)))
  const seen: unknown[] = []
  const onReadEntry = ({ path, type, size, mode, linkpath }: ReadEntry) =>
    void seen.push([path, type, size, mode, ...(linkpath ? [linkpath] : [])])
  await list({ file: join(dir, 'tar'), strict: true, onReadEntry })
  expect(seen).toEqual([
    ['etc/', 'Directory', 0, 0o755],
    ['etc/a', 'File', 5, 0o644],
    ['bin/b', 'File', 70_000, 0o755],
    ['bin/e', 'File', 0, 0o755],
    ['bin/l', 'SymbolicLink', 0, 0o777, 'b'],
    [far, 'File', 3, 0o600],
    ['bin/far', 'SymbolicLink', 0, 0o777, 'f'.repeat(200)],
  ])
})

async function* archive(entries: Entry[]): AsyncGenerator<Buffer> {
  for (const { path, type = 'File', to = '', text = '', mode = 0o644 } of entries) {
    const block = Buffer.alloc(512)
    new Header({ path, type, linkpath: to, mode, size: text.length, uid: 0, gid: 0 }).encode(block)
    yield block
    yield Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)])
  }
  yield Buffer.alloc(1024)
}
