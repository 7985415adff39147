import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packTar } from '../../../../../src/api/dashboard/page/pages/publish/tar.ts'
import { unpackTar } from '../../../../../src/api/dashboard/page/pages/publish/untar.ts'
import { packEntries } from '../../../../../src/code/index.ts'

const part = fc.stringMatching(/^[a-zA-Z0-9äß漢🜁_-]{1,40}$/u)
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))
const files = fc
  .uniqueArray(fc.record({ path, text: fc.string({ maxLength: 2_000 }) }), {
    minLength: 1,
    maxLength: 12,
    selector: ({ path: at }) => at,
  })
  .filter((all) => all.every(({ path: at }) => !all.some((other) => other.path.startsWith(`${at}/`))))

test('what a browser packs has the bytes that the node’s own packer writes', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (all) => {
      const isProgram = (text: string) => text.length % 2 === 1
      const packed = packTar(
        all.map(({ path: at, text }) => ({ path: at, data: new Blob([text]), executable: isProgram(text) })),
      )
      const entries = all.map((file) => {
        const bytes = Buffer.from(file.text)
        return { path: file.path, executable: isProgram(file.text), size: bytes.byteLength, open: () => [bytes] }
      })
      expect(Buffer.from(await packed.arrayBuffer())).toEqual(await buffer(packEntries(entries)))
    }),
    { numRuns: 60 },
  )
})

test('what was packed is unpacked, also compressed', async () => {
  const long = `${'folder/'.repeat(20)}file.txt`
  const given = [
    { path: 'a.txt', data: new Blob(['one']) },
    { path: long, data: new Blob(['x'.repeat(1_000)]) },
  ]
  const tar = Buffer.from(await packTar(given).arrayBuffer())
  for (const bytes of [tar, gzipSync(tar)]) {
    const found = await unpackTar(new Blob([bytes]), 2)
    expect(await Promise.all(found.map(async ({ path: at, data }) => [at, await data.text()]))).toEqual([
      ['a.txt', 'one'],
      [long, 'x'.repeat(1_000)],
    ])
  }
})

test('what is no archive, or half of one, is refused with a sentence', async () => {
  const tar = Buffer.from(await packTar([{ path: 'a', data: new Blob(['x'.repeat(2_000)]) }]).arrayBuffer())
  await expect(unpackTar(new Blob(['a text of 600 bytes'.padEnd(600)]), 2)).rejects.toThrow('This is no tar archive')
  await expect(unpackTar(new Blob([tar.subarray(0, 1_000)]), 2)).rejects.toThrow('ends in the middle of a file')
  await expect(unpackTar(new Blob([gzipSync(tar).subarray(0, 40)]), 2)).rejects.toThrow('damaged')
})

test('no more is read than a browser takes: of files, and of bytes that come out of few', async () => {
  const three = ['a', 'b', 'c'].map((name) => ({ path: name, data: new Blob(['x'.repeat(100_000)]) }))
  const tar = Buffer.from(await packTar(three).arrayBuffer())
  await expect(unpackTar(new Blob([tar]), 2)).rejects.toThrow(
    'It has more than 2 files; publish it with the command line.',
  )
  expect(await unpackTar(new Blob([tar]), 3)).toHaveLength(3)
  const packed = new Blob([gzipSync(tar)])
  expect(await unpackTar(packed, 3, tar.byteLength)).toHaveLength(3)
  await expect(unpackTar(packed, 3, tar.byteLength - 1)).rejects.toThrow(
    /^The archive holds more than .*; publish it with the command line\.$/,
  )
})

test('a record beside the path may hold what is no text: macOS writes attributes of files so', async () => {
  const path = `${'folder/'.repeat(20)}file.txt`
  const tar = Buffer.from(await packTar([{ path, data: new Blob(['one']) }]).arrayBuffer())
  const value = Buffer.from([0xff, 0x0a, 0xfe, 0x00])
  const key = Buffer.from('00 SCHILY.xattr.provenance=')
  const records = Buffer.concat([
    Buffer.from(`${key.byteLength + value.byteLength + 1}`),
    key.subarray(2),
    value,
    Buffer.from('\n13 mtime=1.5\n'),
    tar.subarray(512, 512 + Number.parseInt(tar.toString('latin1', 124, 135), 8)),
  ])
  const head = Buffer.from(tar.subarray(0, 512))
  head.write(records.byteLength.toString(8).padStart(11, '0'), 124)
  const padded = Buffer.alloc(Math.ceil(records.byteLength / 512) * 512)
  records.copy(padded)
  const [file, ...more] = await unpackTar(new Blob([head, padded, tar.subarray(1024)]), 1)
  expect([file?.path, await file?.data.text(), more]).toEqual([path, 'one', []])
})
