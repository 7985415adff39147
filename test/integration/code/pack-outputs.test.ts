import { readdirSync, readlinkSync, realpathSync, rmdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Header, type HeaderData, Pax } from 'tar'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createTarReader } from '../../../src/code/archive/tar-read.ts'
import { packOutputs } from '../../../src/code/index.ts'
import { framesOf } from '../../../src/code/outputs/frames.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const MIB = 2 ** 20
const LIMITS = { maxBytes: MIB, maxEntries: 100 }

type Entry = HeaderData & { readonly content?: string | Buffer; readonly raw?: Buffer }

/** What an engine sends, or what a hostile one would. */
function tarOf(...entries: Entry[]): Buffer {
  const parts = entries.flatMap(({ content = '', raw, ...data }) => {
    const bytes = Buffer.from(content)
    const header = new Header({ type: 'File', mode: 0o644, size: bytes.byteLength, ...data })
    const block = Buffer.alloc(512)
    header.encode(block)
    const pax = header.needPax ? [new Pax({ path: data.path, linkpath: data.linkpath }).encode()] : []
    if (raw !== undefined) withName(block, raw)
    return [...pax, block, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

/** A name that is no text, and the sum that belongs to it. */
function withName(block: Buffer, name: Buffer): void {
  block.fill(0, 0, 100)
  name.copy(block)
  block.fill(' ', 148, 156)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
}

async function* left(paths: Record<string, Buffer | undefined>) {
  for (const [path, tar] of Object.entries(paths)) {
    yield {
      path,
      tar:
        tar &&
        (async function* () {
          yield tar
        })(),
    }
  }
}

/** Packs, and reads what was packed. */
async function packed(paths: Record<string, Buffer | undefined>, limits = LIMITS) {
  const dir = await tempDir()
  const result = await packOutputs({ clock: systemClock() }, left(paths), { dir, ...limits })
  const files: Record<string, string> = {}
  if (result.code !== undefined) {
    let last = ''
    const reader = createTarReader(
      {
        file: ({ path, executable }) => {
          last = executable ? `${path}*` : path
          files[last] = ''
        },
        data: (bytes) => {
          files[last] += Buffer.from(bytes).toString()
        },
        close() {},
        link: ({ path }) => {
          files[path] = 'a link'
        },
      },
      { maxBytes: 64 * MIB, maxEntries: 1000 },
    )
    reader.push(await readFile(join(dir, 'tar')))
    reader.end()
  }
  return { ...result, files, count: result.files }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

describe('what a task left', () => {
  it('is packed with the paths that it has below its folder, and modes by content', async () => {
    const result = await packed({
      'out/a': tarOf(
        { path: 'a/', type: 'Directory' },
        { path: 'a/run.sh', content: '#!/bin/sh' },
        { path: 'a/.git/x', content: 'x' },
      ),
      'report.json': tarOf({ path: 'report.json', content: '{}', mode: 0o777 }),
    })
    expect(result).toMatchObject({
      files: { 'out/a/run.sh*': '#!/bin/sh', 'out/a/.git/x': 'x', 'report.json': '{}' },
      missing: [],
      leftOut: { links: 0, special: 0, names: 0 },
    })
  })

  it('is one archive whatever it came through: the same content id', async () => {
    const one = await packed({ a: tarOf({ path: 'a', content: 'x', mtime: new Date(1e12), uid: 1000 }) })
    expect(one.code?.toString()).toBe(
      (await packed({ './a': tarOf({ path: 'a', content: 'x', mode: 0o600 }) })).code?.toString(),
    )
  })

  it('says which paths hold no file, and is no archive where none does', async () => {
    const empty = tarOf({ path: 'empty/', type: 'Directory' })
    expect(await packed({ gone: undefined, empty })).toMatchObject({ count: 0, size: 0, missing: ['gone', 'empty'] })
    expect(await packed({ gone: undefined, a: tarOf({ path: 'a', content: '1' }) })).toMatchObject({
      missing: ['gone'],
      files: { a: '1' },
    })
  })

  it('leaves out links, what is no file, and names that no archive holds, and counts them', async () => {
    const result = await packed({
      out: tarOf(
        { path: 'out/passwd', type: 'SymbolicLink', linkpath: '/etc/passwd' },
        { path: 'out/up', type: 'SymbolicLink', linkpath: '../..' },
        { path: 'out/pipe', type: 'FIFO' },
        { path: 'out/null', type: 'CharacterDevice' },
        { path: 'out/new\nline', content: 'x' },
        { path: 'out/x', raw: Buffer.from([0x6f, 0x75, 0x74, 0x2f, 0xff, 0xfe]), content: 'not text' },
        { path: 'out/good', content: 'good' },
      ),
      link: tarOf({ path: 'link', type: 'SymbolicLink', linkpath: 'out' }),
    })
    expect(result).toMatchObject({
      files: { 'out/good': 'good' },
      missing: ['link'],
      leftOut: { links: 3, special: 2, names: 2 },
    })
  })

  it('writes a hard link as the file that it is, and takes none that leads elsewhere', async () => {
    const result = await packed({
      out: tarOf(
        { path: 'out/a', content: 'a' },
        { path: 'out/b', type: 'Link', linkpath: 'out/a' },
        { path: 'out/c', type: 'Link', linkpath: '/etc/passwd' },
        { path: 'out/d', type: 'Link', linkpath: '../../etc/passwd' },
      ),
    })
    expect(result.files).toEqual({ 'out/a': 'a', 'out/b': 'a' })
  })

  it('takes a path once where several name it', async () => {
    const result = await packed({
      out: tarOf({ path: 'out/a', content: 'first' }),
      'out/a': tarOf({ path: 'a', content: 'second' }),
    })
    expect(result).toMatchObject({ files: { 'out/a': 'first' }, missing: [] })
  })

  it.each<readonly [string, Buffer, RegExp | undefined]>([
    ['bytes', tarOf({ path: 'a', content: Buffer.alloc(MIB + 1) }), /more than the 1 MiB/],
    [
      'bytes by hard links',
      tarOf({ path: 'a', content: Buffer.alloc(MIB) }, { path: 'b', type: 'Link', linkpath: 'a' }),
      /bytes/,
    ],
    ['files', tarOf(...Array.from({ length: 101 }, (_, index) => ({ path: `a/${index}` }))), /files/],
    ...(
      [
        ['hard links', { type: 'Link', linkpath: 'a' }],
        ['links', { type: 'SymbolicLink', linkpath: 'a' }],
        ['bad names', { raw: Buffer.from([0xff]) }],
      ] as const
    ).map(
      ([what, entry]) =>
        [
          `files, as ${what}`,
          tarOf({ path: 'a' }, ...Array.from({ length: 100 }, (_, index) => ({ path: `b/${index}`, ...entry }))),
          /files/,
        ] as const,
    ),
    [
      'headers',
      tarOf(
        ...Array.from({ length: 90 }, (_, index) => ({
          path: `a/${'long'.repeat(50)}${index}`,
          content: 'x'.repeat(11_000),
        })),
      ),
      /bytes/,
    ],
    ['a path that leads out', tarOf({ path: '../a', content: 'x' }, { path: 'b', content: 'x' }), undefined],
    ['a tar that is cut', tarOf({ path: 'a', content: 'x' }).subarray(0, 600), /cut/],
    ['no tar', Buffer.alloc(512, 'x'), /tar/],
  ])('is refused in one sentence: %s', async (_, tar, message) => {
    const result = packed({ '.': tar })
    if (message === undefined) await expect(result).resolves.toMatchObject({ files: { b: 'x' }, leftOut: { names: 1 } })
    else await expect(result).rejects.toThrow(message)
  })

  it('is nothing where its source breaks off, also between two paths', async () => {
    const dir = await tempDir()
    async function* broken() {
      yield* left({ a: tarOf({ path: 'a', content: 'x' }) })
      throw new Error('the engine has gone')
    }
    await expect(packOutputs({ clock: systemClock() }, broken(), { dir, ...LIMITS })).rejects.toThrow(
      'the engine has gone',
    )
  })

  it('is closed wherever its reader stops', async () => {
    for (let pulls = 1; pulls <= 5; pulls++) {
      const tar = Readable.from([Buffer.alloc(1)])
      const frames = framesOf('a', tar)
      for (let pull = 0; pull < pulls; pull++) await frames.next()
      await frames.return(undefined)
      expect([pulls, tar.destroyed]).toEqual([pulls, true])
    }
  })

  it('waits for another time where no process can be started', async () => {
    const dir = await tempDir()
    const toJSON = () => rmdirSync(join(dir, 'work'))
    const init = { dir, ...LIMITS, toJSON }
    const packing = packOutputs({ clock: systemClock() }, left({ a: tarOf({ path: 'a', content: 'x' }) }), init)
    await expect(packing).rejects.toThrow('packing could not be started: spawn')
  })

  it.skipIf(process.platform !== 'linux')('is not packed again where the kernel ends the process', async () => {
    const dir = await tempDir()
    async function* heavy() {
      yield Buffer.alloc(1)
      const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
      const isPacker = (pid: string) => linkOf(`/proc/${pid}/cwd`) === join(realpathSync(dir), 'work')
      for (const pid of pids.filter(isPacker)) process.kill(Number(pid), 'SIGKILL')
      yield* Array.from({ length: 100 }, () => Buffer.alloc(MIB))
    }
    async function* paths() {
      yield { path: 'a', tar: heavy() }
    }
    const packing = packOutputs({ clock: systemClock() }, paths(), { dir, ...LIMITS })
    await expect(packing).rejects.toThrow('more memory or processor time than it may have')
  })

  it('ends with the signal, while its source says nothing', async () => {
    const dir = await tempDir()
    const stop = new AbortController()
    const tar = new Readable({ read: () => stop.abort(new Error('called off')) })
    async function* silent() {
      yield { path: 'a', tar }
    }
    const packing = packOutputs({ clock: systemClock() }, silent(), { dir, ...LIMITS, signal: stop.signal })
    await expect(packing).rejects.toThrow('called off')
    expect(tar.destroyed).toBe(true)
  })
})
