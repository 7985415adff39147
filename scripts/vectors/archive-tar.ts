import { type Draft, type Json, refuses } from './kit/kit.ts'

/** One entry of any tar; what is not given is as in a canonical file. */
type Raw = {
  path?: string | Uint8Array
  type?: string
  mode?: string
  link?: string
  content?: string
  size?: string
  mtime?: string
  owner?: string
}

const FILE: Raw = { path: 'a', content: 'hello\n' }
const BIN: Raw = { path: 'bin/run', content: '#!/bin/sh\n', mode: '0000755\0' }
const LONG_FOLDER = `${'d'.repeat(60)}/${'e'.repeat(60)}`
const LONG = `${LONG_FOLDER}/file`
const END = Buffer.alloc(1024)

const link = (path: string, target: string): Raw => ({ path, link: target, type: '2', mode: '0000777\0' })

/** Canonical tars and, of each rule, archives that break it alone. */
export function tars(): Draft[] {
  return [...valid(), ...files(), ...links(), ...framing()]
}

function valid(): Draft[] {
  const back = { path: '\u00e9', content: 'x' }
  return [
    tar('one file', FILE),
    tar('an empty file', { path: 'empty' }),
    tar('an executable file', BIN),
    tar('a file in folders', { path: 'a/b/c', content: 'x' }),
    tar('ascending by bytes: "a!" stands before "a/b"', { path: 'a!' }, { path: 'a/b' }),
    tar('paths that differ in case, or in normalization', { path: 'A' }, FILE, { path: 'e\u0301' }, back),
    tar('U+FF5E stands before U+1F600, unlike in UTF-16', { path: '\uff5e' }, { path: '\u{1f600}' }),
    tar('a path of 100 bytes', { path: 'p'.repeat(100) }),
    draft('a path of 125 bytes', [...pax(record('path', LONG)), { path: '@long-path' }]),
    tar('a link to a file beside it', FILE, link('b', 'a')),
    tar('a link to a folder', BIN, link('tools', 'bin')),
    tar('a link to what comes later', link('a', 'b'), { path: 'b' }),
    tar('a link to a file of another folder', link('.bin/run', '../lib/run.js'), { path: 'lib/run.js' }),
    tar('a link to a folder above its own, beside it', { path: 'lib/x' }, link('p/q/r', '../../lib')),
    tar('links and files that differ in case', link('A', 'a'), FILE),
    tar('a link to a folder that holds only another link', FILE, link('b/c', '../a'), link('d', 'b')),
    draft('a link with a path of 125 bytes', [
      { path: 'a' },
      ...pax(record('path', LONG)),
      link('@long-path', '../../a'),
    ]),
    draft('a link with a target of 125 bytes', [
      { path: 'a' },
      ...pax(record('path', LONG)),
      { path: '@long-path' },
      ...pax(record('linkpath', LONG)),
      link('l', '@long-link'),
    ]),
    draft('a link with a long path and a long target', [
      ...pax(record('path', LONG)),
      { path: '@long-path' },
      ...pax(record('path', `${LONG}2`) + record('linkpath', `../${'e'.repeat(60)}2/${'f'.repeat(60)}`)),
      link('@long-path', '@long-link'),
      ...pax(record('path', `${LONG_FOLDER}2/${'f'.repeat(60)}`)),
      { path: '@long-path' },
    ]),
  ]
}

function files(): Draft[] {
  const paths = ['/a', '../a', 'a/../b', './a', '.', '..', 'a//b', 'a/', 'a\\b', 'a\nb', 'a\x7f', 'a\u009b', '']
  return [
    ...paths.map((path) => bad(`the path ${JSON.stringify(path)}`, { path })),
    bad('a path that is not UTF-8', { path: Uint8Array.of(0x61, 0xff) }),
    bad('a name of 256 bytes', ...pax(record('path', 'n'.repeat(256))), { path: '@long-path' }),
    bad('a path of 1025 bytes', ...pax(record('path', `${'d/'.repeat(512)}n`)), { path: '@long-path' }),
    bad('the same path twice', FILE, FILE),
    bad('paths that descend', { path: 'b' }, { path: 'a' }),
    bad('a file that is a folder', { path: 'a' }, { path: 'a/b' }),
    bad('a file that is a folder, not side by side', { path: 'a' }, { path: 'a!' }, { path: 'a/b' }),
    bad('mode 0000600', { ...FILE, mode: '0000600\0' }),
    bad('mode 0004755', { ...FILE, mode: '0004755\0' }),
    bad('a time', { ...FILE, mtime: '00000000001\0' }),
    bad('an owner', { ...FILE, owner: 'root' }),
    bad('a size with spaces', { ...FILE, size: '          6\0' }),
    bad('a file with a link name', { ...FILE, link: 'b' }),
    ...['1', '3', '4', '5', '6', '7', 'g', 'L', '\0'].map((type) =>
      bad(`type ${JSON.stringify(type)}`, { path: 'b', type }, { path: 'c' }),
    ),
    bad('a pax record of a short path', ...pax(record('path', 'short')), { path: '@long-path' }),
    bad('a pax record of a size', ...pax(record('path', LONG) + record('size', '0')), { path: '@long-path' }),
    bad('a pax record with a wrong length', ...pax(record('path', LONG).replace(/^\d+/, '99')), { path: '@long-path' }),
    bad('a link target in the pax record of a file', ...pax(record('path', LONG) + record('linkpath', LONG)), {
      path: '@long-path',
    }),
  ]
}

function links(): Draft[] {
  const deep = `${'d/'.repeat(60)}l`
  const up = '../'.repeat(60)
  return [
    bad('a link that is absolute', FILE, link('b', '/etc/passwd')),
    bad('a link that is absolute, to a file of the archive', FILE, link('b', '/a')),
    bad('a link out of the archive', FILE, link('b', '../a')),
    bad('a link out of the archive and back', FILE, link('x/b', '../../x/b')),
    bad('a link out of the archive, deep', FILE, link('x/y/b', '../../../etc/passwd')),
    bad('a link with ".." in its middle', FILE, link('b', 'x/../a'), { path: 'x/y' }),
    bad('a link to a link', FILE, link('b', 'a'), link('c', 'b')),
    bad('a link to a later link', { path: 'c' }, link('d', 'e'), link('e', 'c')),
    bad('a link through a linked folder', { path: 'a/x' }, link('b', 'a'), link('c', 'b/x')),
    bad('a file below a link', { path: 'a/x' }, link('b', 'a'), { path: 'b/y' }),
    bad('a link below a link', { path: 'a/x' }, link('b', 'a'), link('b/y', '../a/x')),
    bad('a link in the place of a folder', { path: 'a/x' }, link('a', 'b'), { path: 'b' }),
    bad('a link that dangles', FILE, link('b', 'c')),
    bad('a link to a file as if it were a folder', FILE, link('b', 'a/x')),
    bad('a link to the file of another case', FILE, link('b', 'A')),
    bad('a link to itself', FILE, link('b', 'b')),
    bad('two links to each other', FILE, link('b', 'c'), link('c', 'b')),
    bad('a link to the folder that holds it', { path: 'x/a' }, link('x/b', '.')),
    bad('a link to a folder above', { path: 'x/a' }, link('x/y/b', '..')),
    bad('a link to a folder above, by its name', { path: 'x/a' }, link('x/y/b', '../../x')),
    bad('a link to the root', { path: 'x/a' }, link('x/b', '..')),
    bad('a link without a target', FILE, link('b', '')),
    bad('a target with "./"', FILE, link('b', './a')),
    bad('a target with "//"', { path: 'a/x' }, link('b', 'a//x')),
    bad('a target with "/" at its end', { path: 'a/x' }, link('b', 'a/')),
    bad('a target that goes up further than it must', { path: 'x/a' }, link('x/b', '../x/a')),
    bad('a target with a backslash', { path: 'a' }, link('b', '..\\a')),
    bad('a target with a control character', { path: 'a' }, link('b', 'a\x1b')),
    bad('a target of 1025 bytes', FILE, ...pax(record('linkpath', `${'d/'.repeat(512)}n`)), link('b', '@long-link')),
    bad('a target in a pax record that would fit', FILE, ...pax(record('linkpath', 'a')), link('b', '@long-link')),
    bad(
      'a long target that is cut',
      { path: 'a' },
      ...pax(record('path', deep)),
      link('@long-path', `${up}a`.slice(0, 100)),
    ),
    bad(
      'a long target after the path it belongs to, in the other order',
      { path: 'a' },
      ...pax(record('linkpath', `${up}a`) + record('path', deep)),
      link('@long-path', '@long-link'),
    ),
    bad('mode 0000755 of a link', FILE, { ...link('b', 'a'), mode: '0000755\0' }),
    bad('a link with a size', FILE, { ...link('b', 'a'), content: 'x' }),
    bad('a link with a time', FILE, { ...link('b', 'a'), mtime: '00000000001\0' }),
    bad('links that do not ascend', FILE, link('c', 'a'), link('b', 'a')),
    bad('a link twice', FILE, link('b', 'a'), link('b', 'a')),
    bad('a link and a file of one path', FILE, link('a', 'b'), { path: 'b' }),
    bad('links and no file', link('a/x', '../b'), link('b/y', '../a')),
    bad('a hard link', FILE, { path: 'b', type: '1', link: 'a' }),
    bad('a hard link with the mode of a link', FILE, { path: 'b', type: '1', link: 'a', mode: '0000777\0' }),
  ]
}

function framing(): Draft[] {
  const file = written([FILE])
  return [
    framed('nothing but zeros', END),
    framed('the end of one block of zeros', file.subarray(0, -512)),
    framed('no end', file.subarray(0, -1024)),
    framed('a block of zeros after the end', Buffer.concat([file, Buffer.alloc(512)])),
    framed('a file after the end', Buffer.concat([file, file])),
    framed('a file without all of its content', file.subarray(0, 512)),
    framed('padding that is not zero', Buffer.concat([file.subarray(0, 1023), Buffer.of(1), END])),
  ]
}

function draft(name: string, entries: Raw[]): Draft {
  return { name: `tar: ${name}`, op: 'archive.tar', blocks: blocksOf(written(entries)) }
}

function tar(name: string, ...entries: Raw[]): Draft {
  return draft(name, entries)
}

function bad(name: string, ...entries: Raw[]): Draft {
  return { ...draft(name, entries), ...refuses('archive') }
}

function framed(name: string, bytes: Uint8Array): Draft {
  return { name: `tar: ${name}`, op: 'archive.tar', blocks: blocksOf(bytes), ...refuses('archive') }
}

/** Each block of 512 bytes as hex, without the zero bytes at its end: most of a tar is those. */
function blocksOf(bytes: Uint8Array): Json {
  const blocks: string[] = []
  for (let at = 0; at < bytes.byteLength; at += 512) {
    blocks.push(
      Buffer.from(bytes.subarray(at, at + 512))
        .toString('hex')
        .replace(/(00)+$/, ''),
    )
  }
  return blocks
}

function pax(records: string): Raw[] {
  return [{ path: '././@PaxHeader', type: 'x', content: records }]
}

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  const digits = String(bytes + String(bytes).length).length
  return `${bytes + digits}${rest}`
}

function written(entries: Raw[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), END])
}

function entryOf(raw: Raw): Buffer {
  const content = Buffer.from(raw.content ?? '')
  const header = Buffer.alloc(512)
  header.set(Buffer.from(raw.path ?? '').subarray(0, 100), 0)
  header.write(raw.mode ?? '0000644\0', 100, 'latin1')
  header.write('0000000\x000000000\0', 108, 'latin1')
  header.write(raw.size ?? `${content.byteLength.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write(raw.mtime ?? '00000000000\0', 136, 'latin1')
  header.write(`        ${raw.type ?? '0'}`, 148, 'latin1')
  header.set(Buffer.from(raw.link ?? '').subarray(0, 100), 157)
  header.write('ustar\x0000', 257, 'latin1')
  header.write(raw.owner ?? '', 265, 'latin1')
  header.write('0000000\x000000000\0', 329, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)])
}
