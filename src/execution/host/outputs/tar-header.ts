const BLOCK = 512
const INLINE_NAME_BYTES = 100
const TYPES = { file: '0', link: '2', folder: '5', other: '6' } as const

export type HeaderKind = keyof typeof TYPES

/** The header of one entry, with a pax header before it where its name is long. Links lead nowhere: they are only named. */
export function tarHeader(kind: HeaderKind, name: Buffer, size = 0): Buffer {
  const isLong = name.byteLength > INLINE_NAME_BYTES
  const header = block(TYPES[kind], isLong ? name.subarray(0, INLINE_NAME_BYTES) : name, size)
  if (!isLong) return header
  const record = paxRecord(name)
  return Buffer.concat([block('x', Buffer.from('pax'), record.byteLength), record, padding(record.byteLength), header])
}

/** After so many bytes of content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK)
}

function block(type: string, name: Buffer, size: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  name.copy(header)
  header.write('0000644\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0', 136, 'latin1')
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(type, 156, 'latin1')
  if (type === TYPES.link) header.write('?', 157, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function paxRecord(name: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(' path='), name, Buffer.from('\n')])
  let length = rest.byteLength
  while (`${length}`.length + rest.byteLength !== length) length = `${length}`.length + rest.byteLength
  return Buffer.concat([Buffer.from(`${length}`), rest])
}
