/** The longest prefix that is read: no frame of any protocol here needs more. */
const MAX_PREFIX_BYTES = 5

/** Counts length-prefixed frames (unsigned varint) in bytes that are decoded elsewhere. */
export interface FrameCounter {
  /** The frames that begin in `piece`, or `too-long` from the first one that is longer than allowed. */
  add(piece: Uint8Array): number | 'too-long'
}

export function createFrameCounter(maxFrameBytes: number): FrameCounter {
  /** bytes of the current frame that are still to come */
  let left = 0
  let value = 0
  let prefixBytes = 0
  return {
    add(piece) {
      let frames = 0
      for (let at = 0; at < piece.byteLength; ) {
        if (left > 0) {
          const part = Math.min(left, piece.byteLength - at)
          left -= part
          at += part
          continue
        }
        const byte = piece[at++] as number
        value += (byte & 0x7f) * 2 ** (7 * prefixBytes)
        prefixBytes++
        if (byte >= 0x80) {
          if (prefixBytes === MAX_PREFIX_BYTES) return 'too-long'
          continue
        }
        if (value > maxFrameBytes) return 'too-long'
        frames++
        left = value
        value = 0
        prefixBytes = 0
      }
      return frames
    },
  }
}
