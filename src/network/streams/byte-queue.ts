/** Bytes in the order they came, in the pieces they came in; whole runs are taken out with at most one copy. */
export class ByteQueue {
  #pieces: Uint8Array[] = []
  /** taken already from the first piece */
  #offset = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  add(piece: Uint8Array): void {
    if (piece.byteLength === 0) return
    this.#pieces.push(piece)
    this.#length += piece.byteLength
  }

  /** The next unsigned varint and how many bytes it takes; undefined while it is incomplete. Reads at most 5 bytes. */
  varint(): { value: number; size: number } | undefined {
    let value = 0
    let size = 0
    for (const piece of this.#pieces) {
      for (let index = size === 0 ? this.#offset : 0; index < piece.byteLength; index++) {
        const byte = piece[index] as number
        value += (byte & 0x7f) * 2 ** (7 * size)
        size++
        if (byte < 0x80) return { value, size }
        if (size === 5) return { value: Number.POSITIVE_INFINITY, size }
      }
    }
    return undefined
  }

  skip(count: number): void {
    this.#length -= count
    let rest = count + this.#offset
    let whole = 0
    while (whole < this.#pieces.length && rest >= (this.#pieces[whole] as Uint8Array).byteLength) {
      rest -= (this.#pieces[whole] as Uint8Array).byteLength
      whole++
    }
    if (whole > 0) this.#pieces.splice(0, whole)
    this.#offset = rest
  }

  /** The next `count` bytes, which must be here: a view where they lie in one piece, else a copy. */
  take(count: number): Uint8Array {
    const first = this.#pieces[0]
    if (first !== undefined && first.byteLength - this.#offset >= count) {
      // bare bytes: pieces of a socket are Buffers, which have habits of their own
      const view = new Uint8Array(first.buffer, first.byteOffset + this.#offset, count)
      this.skip(count)
      return view
    }
    const bytes = new Uint8Array(count)
    let filled = 0
    for (const piece of this.#pieces) {
      const from = filled === 0 ? this.#offset : 0
      const part = piece.subarray(from, from + count - filled)
      bytes.set(part, filled)
      filled += part.byteLength
      if (filled === count) break
    }
    this.skip(count)
    return bytes
  }

  clear(): void {
    this.#pieces = []
    this.#offset = 0
    this.#length = 0
  }
}

/** An unsigned varint (LEB128). */
export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
