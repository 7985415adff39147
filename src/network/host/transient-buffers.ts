/**
 * Memory that passes through once: what a socket read and what is encrypted for it. V8 does not see how much of it waits
 * to be collected, and then goes through the whole heap for every few megabytes; given back here it never waits.
 */
export interface TransientBuffers {
  /** The complete buffer behind `view` belongs to the caller only. */
  own(view: Uint8Array): void
  /** The buffer will not be read again. Anything that is not owned, or owned in part, stays as it is. */
  release(view: Uint8Array): void
}

/** Less is not worth the call. */
const WORTHWHILE_BYTES = 16 * 1024

export function createTransientBuffers(): TransientBuffers {
  const owned = new WeakSet<ArrayBufferLike>()
  return {
    own({ buffer, byteLength }) {
      if (byteLength >= WORTHWHILE_BYTES && byteLength === buffer.byteLength) owned.add(buffer)
    },
    release({ buffer }) {
      if (owned.delete(buffer)) (buffer as ArrayBuffer).transfer(0)
    },
  }
}
