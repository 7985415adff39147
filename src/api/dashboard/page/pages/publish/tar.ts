/**
 * The canonical tar of files that a browser holds, as section "archive" of the specification says: one list of files has one
 * spelling. `src/code/archive/tar-write.ts` is the node's; a test compares the two.
 */
/** `executable`: as its first bytes say; default: it is not. */
export type PackFile = { readonly path: string; readonly data: Blob; readonly executable?: boolean }

const BLOCK = 512
const INLINE_PATH_BYTES = 100
const encoder = new TextEncoder()

export function packTar(files: readonly PackFile[]): Blob {
  const named = files.map((file) => ({ ...file, name: encoder.encode(file.path) }))
  named.sort((a, b) => compareBytes(a.name, b.name))
  const parts = named.flatMap<Blob | Uint8Array<ArrayBuffer>>(({ name, data, executable = false }) => [
    ...headersOf(name, data.size, executable ? 0o755 : 0o644),
    data,
    new Uint8Array(paddingOf(data.size)),
  ])
  return new Blob([...parts, new Uint8Array(2 * BLOCK)], { type: 'application/x-tar' })
}

function headersOf(name: Uint8Array<ArrayBuffer>, size: number, mode: number): Uint8Array<ArrayBuffer>[] {
  if (name.byteLength <= INLINE_PATH_BYTES) return [header(name, size, '0', mode)]
  const record = paxRecord(name)
  const padded = new Uint8Array(record.byteLength + paddingOf(record.byteLength))
  padded.set(record)
  const before = header(encoder.encode('././@PaxHeader'), record.byteLength, 'x')
  return [before, padded, header(encoder.encode('@long-path'), size, '0', mode)]
}

function header(name: Uint8Array, size: number, type: string, mode = 0o644): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BLOCK)
  const write = (text: string, at: number) => bytes.set(encoder.encode(text), at)
  bytes.set(name, 0)
  write(octal(mode, 7), 100)
  write(octal(0, 7), 108)
  write(octal(0, 7), 116)
  write(octal(size, 11), 124)
  write(octal(0, 11), 136)
  write(' '.repeat(8), 148)
  write(type, 156)
  write('ustar\x0000', 257)
  write(octal(0, 7), 329)
  write(octal(0, 7), 337)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  write(`${octal(sum, 6)}\0 `, 148)
  return bytes
}

/** Its length counts its own digits. */
function paxRecord(name: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = ' path='.length + name.byteLength + 1
  let length = rest
  while (String(length).length + rest !== length) length = String(length).length + rest
  const record = new Uint8Array(length)
  record.set(encoder.encode(`${length} path=`))
  record.set(name, length - name.byteLength - 1)
  record.set(encoder.encode('\n'), length - 1)
  return record
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, at) => byte !== b[at])
  return index < 0 ? a.byteLength - b.byteLength : (a[index] ?? 0) - (b[index] ?? -1)
}
