import { MAX_ARCHIVE_ANSWER_BYTES } from '../../protocols/limits.ts'

/** Memory for answers on their way to the disk, used again and again: a fetch of any size makes no garbage of its own. */
export interface Buffers {
  /** Small messages, and those for which there is no room, get memory of their own. */
  take(bytes: number): Uint8Array
  /** `view` is done with. Views of other memory are ignored. */
  give(view: Uint8Array): void
}

export function createBuffers(max: number): Buffers {
  const free: ArrayBufferLike[] = []
  const ours = new Set<ArrayBufferLike>()
  return {
    take(bytes) {
      if (bytes < MAX_ARCHIVE_ANSWER_BYTES / 2 || bytes > MAX_ARCHIVE_ANSWER_BYTES) return new Uint8Array(bytes)
      let buffer = free.pop()
      if (buffer === undefined) {
        buffer = new ArrayBuffer(MAX_ARCHIVE_ANSWER_BYTES)
        if (ours.size < max) ours.add(buffer)
      }
      return new Uint8Array(buffer, 0, bytes)
    },
    give({ buffer }) {
      if (ours.has(buffer) && !free.includes(buffer)) free.push(buffer)
    },
  }
}
