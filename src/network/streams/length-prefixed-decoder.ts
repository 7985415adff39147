/** What a message costs beside its bytes: a flood of empty ones counts too. */
const OVERHEAD_BYTES = 64
/** A length of up to 2^35 - 1 fits; nothing longer is ever taken. */
const MAX_PREFIX_BYTES = 5

/**
 * Cuts a stream of bytes into length-prefixed messages (unsigned varint). A message within one piece is a view of
 * it; any other is filled piece by piece, so that pieces can be freed as they come.
 */
export class LengthPrefixedDecoder {
  readonly #maxMessageBytes: number
  readonly #allocate: (bytes: number) => Uint8Array
  readonly #ready: Uint8Array[] = []
  #next = 0
  #held = 0
  #prefix = { value: 0, size: 0 }
  #partial: { bytes: Uint8Array; filled: number } | undefined
  readonly #copied: (piece: Uint8Array) => void

  /** `copied` is called with each piece that nothing here refers to once it was added. */
  constructor(
    maxMessageBytes: number,
    allocate: (bytes: number) => Uint8Array = allocateFresh,
    copied: (piece: Uint8Array) => void = () => {},
  ) {
    this.#maxMessageBytes = maxMessageBytes
    this.#allocate = allocate
    this.#copied = copied
  }

  /** Bytes held here: whole messages, and what has come of the next one. */
  get held(): number {
    return this.#held + (this.#partial?.filled ?? 0)
  }

  /** Is there a whole message to take? */
  get hasMessage(): boolean {
    return this.#next < this.#ready.length
  }

  /** Has the stream ended in the middle of a message, should it end now? */
  get incomplete(): boolean {
    return this.#partial !== undefined || this.#prefix.size > 0
  }

  /** Returns what is wrong with a length; nothing may be added after that. */
  add(piece: Uint8Array): string | undefined {
    let isCopied = true
    for (let at = 0; at < piece.byteLength; ) {
      if (this.#partial !== undefined) {
        at += this.#fill(this.#partial, piece, at)
        continue
      }
      const byte = piece[at++] as number
      this.#prefix.value += (byte & 0x7f) * 2 ** (7 * this.#prefix.size)
      this.#prefix.size++
      if (byte >= 0x80 && this.#prefix.size < MAX_PREFIX_BYTES) continue
      const length = byte >= 0x80 ? Number.POSITIVE_INFINITY : this.#prefix.value
      // one spelling of each length, and no message is empty
      if (byte === 0)
        return this.#prefix.size > 1 ? 'a length came that is not in its shortest form' : 'an empty message came'
      if (length > this.#maxMessageBytes) {
        return `a message of ${length} bytes came; at most ${this.#maxMessageBytes} are taken`
      }
      this.#prefix = { value: 0, size: 0 }
      if (piece.byteLength - at >= length) {
        // bare bytes: pieces of a socket are Buffers, which have habits of their own
        this.#done(new Uint8Array(piece.buffer, piece.byteOffset + at, length))
        isCopied = false
        at += length
      } else {
        this.#partial = { bytes: this.#allocate(length), filled: 0 }
      }
    }
    if (isCopied) this.#copied(piece)
    return undefined
  }

  take(): Uint8Array | undefined {
    const message = this.#ready[this.#next]
    if (message === undefined) return undefined
    this.#held -= message.byteLength + OVERHEAD_BYTES
    this.#next++
    if (this.#next === this.#ready.length || this.#next === 1024) {
      this.#ready.splice(0, this.#next)
      this.#next = 0
    }
    return message
  }

  clear(): void {
    this.#ready.length = 0
    this.#next = 0
    this.#held = 0
    this.#partial = undefined
  }

  #fill(partial: { bytes: Uint8Array; filled: number }, piece: Uint8Array, at: number): number {
    const part = piece.subarray(at, at + partial.bytes.byteLength - partial.filled)
    partial.bytes.set(part, partial.filled)
    partial.filled += part.byteLength
    if (partial.filled === partial.bytes.byteLength) {
      this.#partial = undefined
      this.#done(partial.bytes)
    }
    return part.byteLength
  }

  #done(message: Uint8Array): void {
    this.#ready.push(message)
    this.#held += message.byteLength + OVERHEAD_BYTES
  }
}

/** Not zeroed first: a message is handed out only when every byte was written. */
function allocateFresh(bytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}
