// Ours, not a library: one content must have one CID, so a reader must refuse every other spelling of an archive.

import { InputError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES } from '../constants.ts'

/**
 * The canonical tar. One list of files has exactly one spelling, so that one content has one CID.
 *
 * An archive is at least one file, in ascending order of the bytes of their paths, then 1024 zero bytes, then nothing.
 * A file is a header, its content, and zero bytes up to a multiple of 512. A symbolic link is a header and nothing else,
 * sorted with the files; links.ts says where it may lead. There are no other entries, and links alone are no archive.
 *
 * A path is UTF-8, byte for byte as the source spells it (no Unicode normalization), 1 to 1024 bytes. Its parts, divided
 * by "/", have 1 to 255 bytes and are neither "." nor ".."; there is no leading or trailing "/", no backslash and no
 * control character (U+0000 to U+001F, U+007F to U+009F). No path occurs twice, and none is a folder of another. Paths
 * that differ only in case or normalization are different; a file system that cannot hold both refuses to unpack them.
 *
 * A header is one block of 512 bytes, ustar. Numbers are octal digits with leading zeros. At each offset:
 *     0  path, filled up with zero bytes        100  "0000644" or "0000755", 0         108  "0000000", 0 (uid)
 *   116  "0000000", 0 (gid)                     124  size in 11 digits, 0              136  "00000000000", 0 (mtime)
 *   148  checksum in 6 digits, 0, space         156  "0" (regular file)                157  100 zero bytes (link name)
 *   257  "ustar", 0, "00"                       265  64 zero bytes (owner's names)     329  "0000000", 0, "0000000", 0
 *   345  167 zero bytes (the prefix is never used)
 * The checksum is the sum of the block's bytes, with the eight bytes at 148 counted as spaces. A link has the mode
 * "0000777", the size 0, the type "2", and its target at 157, filled up with zero bytes.
 *
 * A path and a target of at most 100 bytes are in the header. Longer ones are in pax records before it: a header
 * with the path "././@PaxHeader", mode 0000644, type "x" and the records' length as size; the record
 * "<length> path=<path>\n" where the path is long, then "<length> linkpath=<target>\n" where the target is, where length
 * is the decimal count of all the record's bytes, its own digits included; zero bytes up to a multiple of 512; and then
 * the entry's header with "@long-path" in place of a long path and "@long-link" in place of a long target.
 */

export const BLOCK = 512
/** The end of an archive: two blocks of zeros. */
export const TRAILER_BYTES = 2 * BLOCK
/** Zero bytes for padding; never written to. */
export const ZEROS = new Uint8Array(TRAILER_BYTES)

/** One file of an archive, without its content. */
export type TarFile = { readonly path: string; readonly executable: boolean; readonly size: number }
/** A symbolic link of an archive. `target` is relative to the folder that holds the link. */
export type TarLink = { readonly path: string; readonly target: string }
export type TarEntry = TarFile | TarLink

const PAX_NAME = '././@PaxHeader'
const LONG_NAME = '@long-path'
const LONG_LINK = '@long-link'
const INLINE_PATH_BYTES = 100
const LINK_MODE = 0o777

/** The fields of a header, for saying which one is wrong. */
export const FIELDS: readonly (readonly [name: string, offset: number])[] = [
  ['path', 0],
  ['mode', 100],
  ['uid', 108],
  ['gid', 116],
  ['size', 124],
  ['mtime', 136],
  ['checksum', 148],
  ['type', 156],
  ['link name', 157],
  ['format', 257],
  ['owner name', 265],
  ['group name', 297],
  ['device number', 329],
  ['path prefix', 345],
]

export function isLink(entry: TarEntry): entry is TarLink {
  return 'target' in entry
}

/** All bytes before a file's content; all of a link. */
export function encodeHeader(entry: TarEntry): Uint8Array {
  const path = Buffer.from(entry.path)
  const target = Buffer.from(isLink(entry) ? entry.target : '')
  const [longPath, longTarget] = [path, target].map(({ byteLength }) => byteLength > INLINE_PATH_BYTES)
  const header = block({
    name: longPath ? Buffer.from(LONG_NAME) : path,
    link: longTarget ? Buffer.from(LONG_LINK) : target,
    ...(isLink(entry)
      ? { mode: LINK_MODE, size: 0, type: '2' }
      : { mode: entry.executable ? 0o755 : 0o644, size: entry.size, type: '0' }),
  })
  if (!longPath && !longTarget) return header
  const records = Buffer.concat([
    ...(longPath ? [paxRecord('path', path)] : []),
    ...(longTarget ? [paxRecord('linkpath', target)] : []),
  ])
  const padded = new Uint8Array(paddedSize(records.byteLength))
  padded.set(records)
  const before = {
    name: Buffer.from(PAX_NAME),
    link: Buffer.from(''),
    mode: 0o644,
    size: records.byteLength,
    type: 'x',
  }
  return Buffer.concat([block(before), padded, header])
}

export function paddedSize(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

/** The order of paths: by their bytes, which is not the order of JavaScript strings. */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Every folder above a path, the outermost first. */
export function foldersOf(path: string): string[] {
  const folders: string[] = []
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    folders.push(path.slice(0, slash))
  return folders
}

/** Throws an InputError where an archive cannot hold such a file. */
export function checkFile({ path, size }: TarFile): void {
  const problem = problemOfPath(path)
  if (problem !== undefined) throw new InputError(`${quoted(path)} ${problem}`)
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_BYTES) {
    throw new InputError(`${quoted(path)} has ${size} bytes; a file in an archive has less than 8 GiB`)
  }
}

export function quoted(path: string, max?: number): string {
  return `"${sanitizeText(path, max)}"`
}

/** What is wrong with a path, as the end of a sentence about it. */
export function problemOfPath(path: string): string | undefined {
  if (!path.isWellFormed()) return 'is no valid Unicode; rename it'
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES) return `has a path of ${bytes} bytes; at most ${MAX_PATH_BYTES} are allowed`
  if (path.startsWith('/')) return 'is absolute; paths in an archive are relative'
  if (path.includes('\\')) return 'has a backslash in its path; use "/" between folders'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return 'has a control character in its path; rename it'
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part in its path; write one "/" between folders and none at the end'
    if (part === '.' || part === '..') return `has the part "${part}" in its path; write the path without it`
    if (Buffer.byteLength(part) > MAX_NAME_BYTES) return `has a name of more than ${MAX_NAME_BYTES} bytes in its path`
  }
  return undefined
}

type Header = { name: Uint8Array; link: Uint8Array; mode: number; size: number; type: string }

function block({ name, link, mode, size, type }: Header): Uint8Array {
  const header = Buffer.alloc(BLOCK)
  header.set(name, 0)
  header.write(octal(mode, 7), 100, 'latin1')
  header.write(octal(0, 7), 108, 'latin1')
  header.write(octal(0, 7), 116, 'latin1')
  header.write(octal(size, 11), 124, 'latin1')
  header.write(octal(0, 11), 136, 'latin1')
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(type, 156, 'latin1')
  header.set(link, 157)
  header.write('ustar\x0000', 257, 'latin1')
  header.write(octal(0, 7), 329, 'latin1')
  header.write(octal(0, 7), 337, 'latin1')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return header
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.byteLength
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength
  return Buffer.concat([Buffer.from(String(length)), rest])
}
