/**
 * Memory that passes through once: what a socket read and what is encrypted for it. V8 does not see how much of it waits
 * to be collected, and then goes through the whole heap for every few megabytes; given back here it never waits.
 */
export interface TransientBuffers {
  /** The complete buffer behind `view` belongs to the caller only. */
  own(view: Uint8Array): void
  /** As `own`, of what a socket read: its buffer may be longer than the read, which begins where the buffer begins. */
  ownRead(read: Uint8Array): void
  /** The buffer is shared from now on: nothing releases it. */
  disown(view: Uint8Array): void
  /** The buffer will not be read again. Anything that is not owned, or owned in part, stays as it is. */
  release(view: Uint8Array): void
  /** As `release`, where `view` reaches the end of what is owned. */
  releaseAtEnd(view: Uint8Array): void
  /**
   * The same bytes, which refer to nothing but themselves, or where they are few to a block of Node's pool with others that
   * are few. The owned buffer of which `view` is a part is released once its end was detached, and so the views of one buffer
   * are detached one after another.
   */
  detach(view: Uint8Array): Uint8Array
}

/** Less is not worth the call. */
const WORTHWHILE_BYTES = 16 * 1024
/** Less is worth no buffer of its own, which takes a hundred bytes and more. */
const OWN_BUFFER_BYTES = 1024

export function createTransientBuffers(): TransientBuffers {
  /** of each buffer, how many bytes of it are in use */
  const owned = new WeakMap<ArrayBufferLike, number>()
  const buffers: TransientBuffers = {
    own(view) {
      if (view.byteLength === view.buffer.byteLength) buffers.ownRead(view)
    },
    ownRead({ buffer, byteOffset, byteLength }) {
      if (byteOffset === 0 && buffer.byteLength >= WORTHWHILE_BYTES) owned.set(buffer, byteLength)
    },
    disown: ({ buffer }) => void owned.delete(buffer),
    release({ buffer }) {
      if (owned.delete(buffer)) (buffer as ArrayBuffer).transfer(0)
    },
    releaseAtEnd(view) {
      if (owned.get(view.buffer) === view.byteOffset + view.byteLength) buffers.release(view)
    },
    detach(view) {
      if (view.byteLength === view.buffer.byteLength || !owned.has(view.buffer)) return view
      const allocate = view.byteLength < OWN_BUFFER_BYTES ? Buffer.allocUnsafe : Buffer.allocUnsafeSlow
      const { buffer, byteOffset, byteLength } = allocate(view.byteLength)
      const copy = new Uint8Array(buffer, byteOffset, byteLength)
      copy.set(view)
      buffers.own(copy)
      buffers.releaseAtEnd(view)
      return copy
    },
  }
  return buffers
}
