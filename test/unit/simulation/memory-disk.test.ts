import { constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { type Disk, systemDisk } from '../../../src/base/os/disk.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { createMemoryDisk } from '../../../src/simulation/machine/memory-disk.ts'

const inMemory = () => createMemoryDisk({ clock: manualClock() })

/** What each call answers, or the code of its error. */
async function storyOf(disk: Disk, dir: string): Promise<unknown[]> {
  const story: unknown[] = []
  const tell = async (work: Promise<unknown>) => void story.push(await work.catch(({ code }: { code: string }) => code))
  const at = (path: string) => join(dir, path)
  await tell(disk.mkdir(at('a/b'), { recursive: true }).then(() => 'made'))
  await tell(disk.mkdir(at('a/b')))
  await tell(disk.mkdir(at('no/where')))
  await tell(disk.writeFile(at('a/b/one'), 'first'))
  await tell(disk.writeFile(at('a/b/one'), 'second'))
  await tell(disk.readFile(at('a/b/one')).then(String))
  await tell(disk.readFile(at('a/b/none')))
  await tell(disk.readFile(at('a')))
  await tell(disk.readdir(at('a/b/one')))
  {
    await using file = await disk.open(at('a/b/log'), 'a+', 0o600)
    await file.writeFile('one\n')
    await file.writeFile('two\n')
    await tell(file.stat().then(({ size }) => size))
  }
  await using again = await disk.open(at('a/b/log'), 'a+')
  await again.writeFile('three\n')
  await tell(disk.readFile(at('a/b/log')).then(String))
  await using tar = await disk.open(at('a/b/tar'), constants.O_RDWR | constants.O_CREAT, 0o644)
  await tell(tar.write(Buffer.from('xyz'), 1, 2, 100_000).then(({ bytesWritten }) => bytesWritten))
  const bytes = Buffer.alloc(4)
  await tell(tar.read(bytes, 0, 4, 99_999).then(({ bytesRead }) => [bytesRead, bytes.toString('latin1')]))
  await tell(tar.read(bytes, 0, 4, 200_000).then(({ bytesRead }) => bytesRead))
  await tell(disk.stat(at('a/b/tar')).then(({ size, blocks, isFile }) => [size, blocks < 100, typeof isFile]))
  await tell(disk.rename(at('a/b/tar'), at('a/moved')))
  await tell(disk.rename(at('a/b/tar'), at('a/moved')))
  await tell(disk.readdir(at('a')).then((names) => names.sort()))
  await tell(disk.mkdir(at('full/in'), { recursive: true }).then(() => 'made'))
  await tell(disk.rename(at('a'), at('full')))
  await tell(disk.utimes(at('a/moved'), 1000, 2000))
  await tell(disk.stat(at('a/moved')).then(({ mtimeMs }) => mtimeMs))
  await tell(disk.rm(at('nothing')))
  await tell(disk.rm(at('nothing'), { force: true }))
  await tell(disk.rm(at('a'), { recursive: true }))
  await tell(disk.stat(at('a')))
  await tell(disk.mkdtemp(at('in-')).then((made) => made.length - dir.length))
  return story
}

test('a disk in memory answers as the one of a machine does', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tc-disk-'))
  try {
    const disk = inMemory()
    await disk.mkdir('/data')
    expect(await storyOf(disk, '/data')).toEqual(await storyOf(systemDisk(), dir))
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('a power cut loses or tears what was not synced, and nothing else', async () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const disk = inMemory()
    await using file = await disk.open('/file', 'w')
    await file.writeFile('durable,')
    await file.sync()
    await file.writeFile('first,')
    await file.writeFile('second')
    const left = disk.afterPowerCut(seededRng(`${seed}`))
    seen.add((await left.readFile('/file')).toString().replace(/\0+$/, ''))
  }
  for (const text of seen) expect('durable,first,second'.startsWith(text) && text.startsWith('durable,')).toBe(true)
  expect(seen.size).toBeGreaterThan(8)
  expect([...seen].some((text) => text.length < 'durable,first,'.length)).toBe(true)
})

test('what is older than half a minute has been written back', async () => {
  const clock = manualClock()
  const disk = createMemoryDisk({ clock })
  await disk.writeFile('/file', 'old')
  await clock.advance(31_000)
  const left = disk.afterPowerCut(seededRng('any'))
  expect((await left.readFile('/file')).toString()).toBe('old')
})
