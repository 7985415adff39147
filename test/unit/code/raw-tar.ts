/** Tars as anybody could write them, right or wrong: for tests that need the wrong ones. */
export type RawEntry = {
  path?: string | Uint8Array
  type?: string
  content?: string | Uint8Array
  mode?: string
  uid?: string
  gid?: string
  size?: string
  mtime?: string
  link?: string
  magic?: string
  owner?: string
  group?: string
  device?: string
  prefix?: string | Uint8Array
  /** instead of the right checksum */
  checksum?: string
  /** instead of zeros after the content */
  padding?: number
  tail?: Uint8Array
}

export function rawHeader(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const header = Buffer.alloc(512)
  const put = (value: string | Uint8Array, offset: number, length: number) =>
    header.set(Buffer.from(value as string).subarray(0, length), offset)
  put(entry.path ?? 'file', 0, 100)
  put(entry.mode ?? '0000644\0', 100, 8)
  put(entry.uid ?? '0000000\0', 108, 8)
  put(entry.gid ?? '0000000\0', 116, 8)
  put(entry.size ?? `${content.byteLength.toString(8).padStart(11, '0')}\0`, 124, 12)
  put(entry.mtime ?? '00000000000\0', 136, 12)
  put('        ', 148, 8)
  put(entry.type ?? '0', 156, 1)
  put(entry.link ?? '', 157, 100)
  put(entry.magic ?? 'ustar\x0000', 257, 8)
  put(entry.owner ?? '', 265, 32)
  put(entry.group ?? '', 297, 32)
  put(entry.device ?? '0000000\x000000000\0', 329, 16)
  put(entry.prefix ?? '', 345, 155)
  if (entry.tail !== undefined) header.set(entry.tail, 500)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(entry.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return header
}

export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
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

/** A file with pax records before it. `name`: what stands in the file's own header. */
export function rawPax(records: string, file: RawEntry, header: RawEntry = {}): Buffer {
  return Buffer.concat([
    rawEntry({ path: '././@PaxHeader', type: 'x', content: records, ...header }),
    rawEntry({ path: '@long-path', ...file }),
    END,
  ])
}
