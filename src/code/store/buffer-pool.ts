import { MAX_ARCHIVE_ANSWER_BYTES } from '../../../protocols/limits.ts'

/** Memory for the answers of one provider on their way to the disk. */
export interface BufferLease extends Disposable {
  /** Small messages, and those beyond the pool's capacity, get memory of their own. */
  acquire(bytes: number): Uint8Array
  /** `view` is done with. Views of other memory are ignored. */
  release(view: Uint8Array): void
}

export interface BufferPool {
  lease(): BufferLease
}

/**
 * Memory that all fetches use again and again. Were it allocated for each, the collector would go through the whole heap
 * for every few chunks. At most `max` buffers are kept; more fetches at once get memory that is not.
 */
export function createBufferPool(max: number): BufferPool {
  const free: ArrayBufferLike[] = []

  function lease(): BufferLease {
    const taken = new Set<ArrayBufferLike>()
    return {
      acquire(bytes) {
        if (bytes < MAX_ARCHIVE_ANSWER_BYTES / 2 || bytes > MAX_ARCHIVE_ANSWER_BYTES) return new Uint8Array(bytes)
        const buffer = free.pop() ?? new ArrayBuffer(MAX_ARCHIVE_ANSWER_BYTES)
        taken.add(buffer)
        return new Uint8Array(buffer, 0, bytes)
      },
      release({ buffer }) {
        if (taken.delete(buffer) && free.length < max) free.push(buffer)
      },
      /** What was not given back is left to the collector: a broken stream may still hold it. */
      [Symbol.dispose]: () => taken.clear(),
    }
  }
  return { lease }
}
