const BLOCK = 512
/** What a file takes of a disk, however small it is: an inode, and a block of its content. */
const MIN_FILE_BYTES = 4096
/** Pax records or a long name: as many bytes as engines take. */
const MAX_EXTENSION_BYTES = 1024 * 1024
/** Links, devices, folders and pipes: no content follows, whatever size they give. */
const WITHOUT_CONTENT = '123456'
/** Pax records, for one file and for all; long names. */
const EXTENSIONS = 'xgLK'

/**
 * How many bytes a tar has once it is unpacked: a file of holes takes few bytes in it, and an engine writes them all; an empty
 * one takes an inode.
 */
export interface TarCounter {
  /** More than came where files of holes are among it. Throws an Error, in a few words, where an engine might read it differently. */
  take(piece: Uint8Array): void
  readonly bytes: number
}

/** Reads headers alone, and only those that have one meaning for everybody. */
export function createTarCounter(): TarCounter {
  const header = Buffer.alloc(BLOCK)
  let filled = 0
  let skip = 0
  let zeros = 0
  let came = 0
  let holes = 0
  let files = 0
  let extension: { type: string; left: number; pieces: Buffer[] } | undefined
  let records: ReadonlyMap<string, string> | undefined
  let hasLongName = false

  function onHeader(): void {
    if (header.every((byte) => byte === 0)) {
      zeros++
      return
    }
    if (zeros > 0) throw new Error('something follows its end')
    checkSum(header)
    const type = header.toString('latin1', 156, 157)
    const size = numberAt(header, 124, 12)
    if (type === 'S') throw new Error('it has a file of holes in an old format')
    if (EXTENSIONS.includes(type)) onExtension(type, size)
    else onFile(type, size)
  }

  function onExtension(type: string, size: number): void {
    if (size > MAX_EXTENSION_BYTES) throw new Error('the name or the attributes of a file are too long')
    if (type === 'x') extension = { type, left: size, pieces: [] }
    else if (type !== 'g') hasLongName = true
    skip = padded(size)
    if (type === 'x' && size === 0) endExtension()
  }

  function onFile(type: string, written: number): void {
    const size = integer(records?.get('size')) ?? written
    const whole = ['GNU.sparse.size', 'GNU.sparse.realsize'].map((key) => integer(records?.get(key)) ?? 0)
    // the oldest format of all says "folder" with a slash at the end of a name
    const mayBeFolder = hasLongName || records !== undefined || header.toString('latin1', 0, 100).includes('/\0')
    if (type === '\0' && size > 0 && mayBeFolder) throw new Error('it may be read in two ways')
    if (!WITHOUT_CONTENT.includes(type)) skip = padded(size)
    files++
    holes += Math.max(0, ...whole.map((bytes) => bytes - size))
    records = undefined
    hasLongName = false
  }

  function endExtension(): void {
    records = recordsOf(Buffer.concat(extension?.pieces ?? []))
    extension = undefined
  }

  /** Content, of which only pax records are kept. */
  function pass(piece: Uint8Array): number {
    const length = Math.min(skip, piece.byteLength)
    skip -= length
    if (extension !== undefined) {
      const kept = Buffer.from(piece.subarray(0, Math.min(length, extension.left)))
      extension.left -= kept.byteLength
      extension.pieces.push(kept)
      if (extension.left === 0 && skip === 0) endExtension()
    }
    return length
  }

  function fill(piece: Uint8Array): number {
    const length = Math.min(BLOCK - filled, piece.byteLength)
    header.set(piece.subarray(0, length), filled)
    filled += length
    if (filled < BLOCK) return length
    filled = 0
    onHeader()
    return length
  }

  return {
    get bytes() {
      return Math.max(came, files * MIN_FILE_BYTES) + holes
    },
    take(piece) {
      came += piece.byteLength
      // two blocks of zeros end it: nobody reads on
      for (let at = 0; at < piece.byteLength && zeros < 2; ) {
        const rest = piece.subarray(at)
        at += skip > 0 ? pass(rest) : fill(rest)
      }
    },
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

function checkSum(header: Buffer): void {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (numberAt(header, 148, 8) !== sum) throw new Error('it is no tar')
}

/** Octal digits, or where the first bit is set a binary number. */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length)
  const [first = 0] = field
  if (first === 0x80) return safe(Number(`0x${field.toString('hex', 1)}`))
  const digits = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1]
  if (digits === undefined) throw new Error('a number of it is none')
  return safe(Number(`0o0${digits}`))
}

function integer(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text)) throw new Error('a size of it is no number')
  return safe(Number(text))
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error('a size of it is too large')
  return value
}

/** Each is "length key=value" and a line end. */
function recordsOf(bytes: Buffer): Map<string, string> {
  const found = new Map<string, string>()
  let rest = bytes.toString('latin1')
  while (rest !== '') {
    const [start = '', digits = ''] = /^([1-9]\d*) /.exec(rest) ?? []
    const record = rest.slice(start.length, Number(digits))
    const equals = record.indexOf('=')
    if (start === '' || equals < 1 || Number(digits) > rest.length || !record.endsWith('\n'))
      throw new Error('the attributes of a file are malformed')
    found.set(record.slice(0, equals), record.slice(equals + 1, -1))
    rest = rest.slice(Number(digits))
  }
  return found
}
