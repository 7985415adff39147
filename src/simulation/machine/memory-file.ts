import type { Clock } from '../../base/clock.ts'
import type { Rng } from '../../base/rng.ts'

/** The kernel writes back by itself what is so old. */
const WRITE_BACK_MS = 30_000
const BLOCK = 512
/** Space is allocated in pages. */
const PAGE = 4096

/** A file of a memory disk. Positions may lie beyond its end: between is a hole, which reads as zeros. */
export interface MemoryFile {
  readonly kind: 'file'
  readonly ino: number
  readonly size: number
  readonly blocks: number
  mtimeMs: number
  content(): Buffer
  /** How many bytes there were. */
  read(into: Uint8Array, position: number): number
  write(bytes: Uint8Array, position: number): void
  truncate(): void
  sync(): void
  /** What is left of it after a power cut. */
  afterPowerCut(rng: Rng): MemoryFile
}

type Write = { readonly position: number; readonly bytes: Buffer; readonly at: number }

export function createMemoryFile(clock: Clock, ino: number): MemoryFile {
  let data: Buffer = Buffer.alloc(0)
  let size = 0
  /** what the disk has for sure */
  let durable: Buffer = Buffer.alloc(0)
  /** in the order in which they were written */
  let unsynced: Write[] = []
  const pages = new Set<number>()

  function put(bytes: Uint8Array, position: number): void {
    const end = position + bytes.byteLength
    if (end > data.byteLength) {
      const larger = Buffer.alloc(Math.max(end, data.byteLength * 2))
      data.copy(larger)
      data = larger
    }
    data.set(bytes, position)
    size = Math.max(size, end)
    for (let page = Math.floor(position / PAGE); page * PAGE < end; page++) pages.add(page)
  }

  /** Applies what the kernel has written back by now. */
  function writeBack(before: number): void {
    const done = unsynced.filter(({ at }) => at <= before)
    if (done.length === 0) return
    unsynced = unsynced.slice(done.length)
    durable = withWrites(durable, done)
  }

  const file: MemoryFile = {
    kind: 'file',
    ino,
    mtimeMs: clock.now(),
    get size() {
      return size
    },
    get blocks() {
      return (pages.size * PAGE) / BLOCK
    },
    content: () => Buffer.from(data.subarray(0, size)),
    read(into, position) {
      const piece = data.subarray(position, Math.min(size, position + into.byteLength))
      into.set(piece)
      return piece.byteLength
    },
    write(bytes, position) {
      writeBack(clock.monotonic() - WRITE_BACK_MS)
      const kept = Buffer.from(bytes)
      unsynced.push({ position, bytes: kept, at: clock.monotonic() })
      put(kept, position)
      file.mtimeMs = clock.now()
    },
    truncate() {
      size = 0
      data = Buffer.alloc(0)
      durable = Buffer.alloc(0)
      unsynced = []
      pages.clear()
    },
    sync: () => writeBack(Number.POSITIVE_INFINITY),
    afterPowerCut(rng) {
      writeBack(clock.monotonic() - WRITE_BACK_MS)
      const kept = unsynced.slice(0, rng.int(unsynced.length + 1))
      const torn = unsynced[kept.length]
      if (torn !== undefined) kept.push({ ...torn, bytes: torn.bytes.subarray(0, rng.int(torn.bytes.byteLength + 1)) })
      // the length is of the journal of the file system, and may be there without the bytes
      const left = createMemoryFile(clock, ino)
      left.write(withWrites(durable, kept, rng.int(2) === 0 ? size : 0), 0)
      left.sync()
      left.mtimeMs = file.mtimeMs
      return left
    },
  }
  return file
}

/** `atLeast`: how long it is in any case, with zeros at its end. */
function withWrites(base: Buffer, writes: readonly Write[], atLeast = 0): Buffer {
  const written = writes.map(({ position, bytes }) => position + bytes.byteLength)
  const end = Math.max(base.byteLength, atLeast, ...written)
  const result = Buffer.alloc(end)
  base.copy(result)
  for (const { position, bytes } of writes) bytes.copy(result, position)
  return result
}
