import { join } from 'node:path'
import { compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { chunkLength } from '../../../protocols/streams/archive.ts'
import type { Disk, OpenFile } from '../../base/os/disk.ts'
import { HashMismatchError } from '../errors.ts'
import type { PartialCode } from '../types.ts'
import { type FoundCode, openTar, TAR, withDiskErrors } from './store-layout.ts'

/** What a partial code needs of its store: disk space, and what happens to its folder in the end. */
export type PartialLifecycle = {
  /** What is there was found to have so many bytes. */
  found(bytes: number): void
  /** Reserves disk space for bytes that are about to be written. Throws StoreFullError. */
  reserve(bytes: number): Promise<void>
  unreserve(bytes: number): void
  /** The writer is done: the folder becomes a whole code, or goes. */
  commit(startedAt: number | undefined): Promise<void>
  discard(): Promise<void>
  /** The writer is done and the code is incomplete: the next one resumes. */
  release(): void
}

/**
 * Which chunks are there is found by hashing them, not from a journal: a journal could be ahead of the data, and
 * hashing is as fast as reading. A hole reads as zeros, which is the chunk only where the chunk is zeros.
 */
export async function openPartial(
  disk: Disk,
  folder: string,
  { manifest }: FoundCode,
  lifecycle: PartialLifecycle,
  options: { signal?: AbortSignal | undefined },
): Promise<PartialCode> {
  const file = await withDiskErrors(folder, openTar(disk, folder))
  const have = new Set<number>()
  let bytes = 0
  let closing: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let isOver = false
  const add = (index: number) => {
    if (have.has(index)) return false
    have.add(index)
    bytes += chunkLength(manifest, index)
    return true
  }
  const isChunk = (index: number, content: Uint8Array) =>
    content.byteLength === chunkLength(manifest, index) &&
    compareBytes(sha256(content), manifest.chunks[index] as Uint8Array) === 0

  const scan = async () => {
    const { size } = await file.stat()
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size))
    for (let index = 0; index < manifest.chunks.length && index * CHUNK_BYTES < size; index++) {
      options.signal?.throwIfAborted()
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, index * CHUNK_BYTES)
      const length = chunkLength(manifest, index)
      if (bytesRead >= length && isChunk(index, buffer.subarray(0, length))) add(index)
    }
    lifecycle.found(bytes)
  }
  const close = () => {
    closing ??= file.close()
    return closing
  }
  /** One end after the other; what fails is not the end of it: whoever holds it can still leave or discard it. */
  const finish = (how: () => Promise<void> | void) => {
    const work = last.then(async () => {
      if (isOver) return
      await how()
      isOver = true
    })
    last = work.catch(() => {})
    return work
  }
  const leave = (how: () => Promise<void> | void) =>
    finish(async () => {
      // what was not written is found by hash
      await close().catch(() => {})
      await how()
    })
  async function commit(startedAt: number | undefined): Promise<void> {
    try {
      await close()
      await lifecycle.commit(startedAt)
    } catch (error) {
      // the disk may have lost any of it: nothing is given to peers or kept before it is hashed again
      have.clear()
      throw error
    }
  }
  try {
    await scan()
  } catch (error) {
    await leave(lifecycle.release)
    throw error
  }
  return {
    manifest,
    path: join(folder, TAR),
    has: (index) => have.has(index),
    get bytes() {
      return bytes
    },
    get complete() {
      return have.size === manifest.chunks.length
    },
    async write(index, content) {
      if (!isChunk(index, content)) throw new HashMismatchError(`chunk ${index} is not the one that the manifest names`)
      if (have.has(index)) return
      await lifecycle.reserve(content.byteLength)
      let isNew = false
      try {
        await withDiskErrors(folder, writeAll(file, content, index * CHUNK_BYTES))
        isNew = add(index)
      } finally {
        if (!isNew) lifecycle.unreserve(content.byteLength)
      }
    },
    async commit({ startedAt } = {}) {
      if (have.size !== manifest.chunks.length) throw new HashMismatchError('the code is not complete yet')
      await finish(() => commit(startedAt))
    },
    discard: () => leave(lifecycle.discard),
    [Symbol.asyncDispose]: () => leave(lifecycle.release),
  }
}

async function writeAll(file: OpenFile, content: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < content.byteLength; ) {
    const { bytesWritten } = await file.write(content, offset, content.byteLength - offset, position + offset)
    offset += bytesWritten
  }
}
