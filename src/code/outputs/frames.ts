import { createByteReader } from './byte-reader.ts'
import type { LeftTar } from './job.ts'

/**
 * Several tars on one pipe: each begins with its path, then come pieces, each behind its length in four bytes; a length of 0 ends it.
 */
const LENGTH_BYTES = 4
/** A writer divides what is longer. */
const MAX_FRAME_BYTES = 1024 * 1024

/** `path`, and the bytes of what lies there. A reader that stops early closes `tar`, also before its first piece. */
export async function* framesOf(path: string, tar: LeftTar): AsyncGenerator<Uint8Array> {
  try {
    yield* frame(Buffer.from(path))
    for await (const piece of tar) {
      for (let at = 0; at < piece.byteLength; at += MAX_FRAME_BYTES)
        yield* frame(piece.subarray(at, at + MAX_FRAME_BYTES))
    }
    yield lengthOf(0)
  } finally {
    tar.destroy?.()
  }
}

function* frame(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.byteLength === 0) return
  yield lengthOf(bytes.byteLength)
  yield bytes
}

function lengthOf(length: number): Uint8Array {
  const bytes = Buffer.alloc(LENGTH_BYTES)
  bytes.writeUInt32BE(length)
  return bytes
}

/** Reads what `framesOf` wrote, one after the other. The pieces of one are read before the next is asked for. */
export async function* readFrames(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ path: string; pieces: AsyncIterable<Uint8Array> }> {
  const reader = createByteReader(input)

  async function next(): Promise<Buffer | undefined> {
    const length = (await reader.take(LENGTH_BYTES))?.readUInt32BE()
    if (length === undefined || length > MAX_FRAME_BYTES) throw new Error('what a task left is cut')
    return length === 0 ? undefined : reader.take(length)
  }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let piece = await next(); piece !== undefined; piece = await next()) yield piece
  }

  for (let head = await reader.take(LENGTH_BYTES); head !== undefined; head = await reader.take(LENGTH_BYTES)) {
    const path = await reader.take(head.readUInt32BE())
    if (path === undefined) throw new Error('what a task left is cut')
    yield { path: path.toString(), pieces: pieces() }
  }
}
