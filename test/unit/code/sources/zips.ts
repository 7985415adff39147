import { crc32, deflateRawSync } from 'node:zlib'

/** One stored entry; what is not said is what an honest zip has. */
export type ZipEntry = {
  name: string
  content: string | Buffer
  local?: string
  mode?: number
  size?: number
  deflate?: boolean
}

/** A zip as anybody could write it; `base`: where it begins in its file. */
export function zipOf(entries: readonly ZipEntry[], base = 0): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  let at = base
  for (const { name, content, local = name, mode = 0o100644, size, deflate = false } of entries) {
    const plain = Buffer.from(content as string)
    const data = deflate ? deflateRawSync(plain) : plain
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(deflate ? 8 : 0, 4)
    common.writeUInt32LE(crc32(plain), 10)
    common.writeUInt32LE(data.byteLength, 14)
    common.writeUInt32LE(size ?? plain.byteLength, 18)
    const named = (text: string) => {
      const fields = Buffer.from(common)
      fields.writeUInt16LE(Buffer.byteLength(text), 22)
      return fields
    }
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), named(local), Buffer.from(local), data])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((mode << 16) >>> 0, 6)
    tail.writeUInt32LE(at, 10)
    central.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 3]), named(name), tail, Buffer.from(name)]),
    )
    parts.push(head)
    at += head.byteLength
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.byteLength, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, directory, end])
}
