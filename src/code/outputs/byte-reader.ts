/** Takes bytes from pieces of any size, as many as are asked for. */
export interface ByteReader {
  /** Exactly so many; undefined where the input has ended before the first of them. Throws where it ends in between. */
  take(length: number): Promise<Buffer | undefined>
  /** At most so many, at least one. Throws where the input has ended. */
  some(most: number): Promise<Buffer>
  /** Reads the rest, and throws it away. */
  drain(): Promise<void>
}

export function createByteReader(input: AsyncIterable<Uint8Array>): ByteReader {
  const source = input[Symbol.asyncIterator]()
  let kept: Buffer = Buffer.alloc(0)

  /** False at the end of the input. */
  async function fill(): Promise<boolean> {
    while (kept.byteLength === 0) {
      const { value, done } = await source.next()
      if (done === true) return false
      kept = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    return true
  }

  function cut(most: number): Buffer {
    const part = kept.subarray(0, most)
    kept = kept.subarray(part.byteLength)
    return part
  }

  async function some(most: number): Promise<Buffer> {
    if (!(await fill())) throw new Error('what a task left is cut')
    return cut(most)
  }

  return {
    some,
    async take(length) {
      if (!(await fill())) return undefined
      const parts = [cut(length)]
      let missing = length - (parts[0]?.byteLength ?? 0)
      while (missing > 0) {
        const part = await some(missing)
        missing -= part.byteLength
        parts.push(part)
      }
      return parts.length === 1 ? parts[0] : Buffer.concat(parts)
    },
    async drain() {
      while (await fill()) cut(kept.byteLength)
    },
  }
}
