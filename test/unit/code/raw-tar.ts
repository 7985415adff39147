/** The fields of a header: where each begins, how long it is, and its default content. */
const FIELDS = [
  ['path', 0, 100, 'file'],
  ['mode', 100, 8, '0000644\0'],
  ['uid', 108, 8, '0000000\0'],
  ['gid', 116, 8, '0000000\0'],
  ['mtime', 136, 12, '00000000000\0'],
  ['type', 156, 1, '0'],
  ['link', 157, 100, ''],
  ['magic', 257, 8, 'ustar\x0000'],
  ['owner', 265, 32, ''],
  ['group', 297, 32, ''],
  ['device', 329, 16, '0000000\x000000000\0'],
  ['prefix', 345, 155, ''],
] as const
type Field = (typeof FIELDS)[number][0] | 'size' | 'content'

/** A file in a tar as anybody could write it, right or wrong: for tests that need the wrong ones. */
export type RawEntry = Partial<Record<Field, string | Uint8Array>> & {
  /** instead of the right checksum */
  checksum?: string
  /** instead of zeros after the content */
  padding?: number
  tail?: Uint8Array
}

export function rawHeader(entry: RawEntry): Buffer {
  const header = Buffer.alloc(512)
  const put = (value: string | Uint8Array, offset: number, length: number) =>
    header.set(Buffer.from(value as string).subarray(0, length), offset)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  for (const [field, offset, length, usual] of FIELDS) put(entry[field] ?? usual, offset, length)
  put(entry.size ?? octal(Buffer.from((entry.content as string) ?? '').byteLength, 11), 124, 12)
  put('        ', 148, 8)
  if (entry.tail !== undefined) header.set(entry.tail, 500)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(entry.checksum ?? `${octal(sum, 6)} `, 148, 8)
  return header
}

export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from((entry.content as string) ?? '')
  const padding = Buffer.alloc((512 - (content.byteLength % 512)) % 512, entry.padding ?? 0)
  return Buffer.concat([rawHeader(entry), content, padding])
}

export const END = Buffer.alloc(1024)

export function rawTar(...entries: RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), END])
}

/** One pax record, with its length counted. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest)
  return `${length}${rest}`
}

/** A file with pax records before it. `name`: what is in the file's own header. */
export function rawPax(records: string, file: RawEntry, header: RawEntry = {}): Buffer {
  return Buffer.concat([
    rawEntry({ path: '././@PaxHeader', type: 'x', content: records, ...header }),
    rawEntry({ path: '@long-path', ...file }),
    END,
  ])
}
