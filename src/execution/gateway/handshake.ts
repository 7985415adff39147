import { createMux, MAX_FRAME_BYTES, type Mux, type MuxInit } from './mux.ts'

/**
 * How a session over a transport begins. A client that attaches to a gateway's stdio may come after another that left in
 * the middle of a frame, and may read the middle of one. So it sends enough zeros to end any frame, a mark, and a name that
 * was never used; the gateway drops all earlier connections and answers with the mark and the name.
 */
/** The word of earlier versions: their gateways go on after an upgrade of the node. */
const MARK = Buffer.from('\nthundercloud door 1\n')
const NAME_BYTES = 16
const HELLO_BYTES = MARK.byteLength + NAME_BYTES

export function hello(name: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(MAX_FRAME_BYTES), MARK, name])
}

export type SessionInit = MuxInit & {
  /** Undefined: any name begins. */
  name?: Buffer | undefined
  onBegin?: () => void
  /** What came was no frame: all connections are over, and what follows is noise until the next beginning. */
  onLost?: () => void
}

export type Session = {
  take(bytes: Buffer): void
  /** Undefined before the beginning, and after a loss. */
  readonly mux: Mux | undefined
  close(error: Error): void
}

/** Finds the beginning in what a transport receives, and hands what follows to a mux of its own. */
export function createSession({ name, onBegin, onLost, ...init }: SessionInit): Session {
  let mux: Mux | undefined
  let noise: Buffer = Buffer.alloc(0)

  function listen(bytes: Buffer): void {
    noise = noise.byteLength === 0 ? bytes : Buffer.concat([noise, bytes])
    const wanted = name === undefined ? MARK : Buffer.concat([MARK, name])
    const at = noise.indexOf(wanted)
    if (at < 0 || noise.byteLength < at + HELLO_BYTES) {
      // A copy: what is kept is small, what it was cut from is not.
      noise = Buffer.from(noise.subarray(at < 0 ? Math.max(0, noise.byteLength - HELLO_BYTES) : at))
      return
    }
    const begun = Buffer.from(noise.subarray(at + MARK.byteLength, at + HELLO_BYTES))
    const after = noise.subarray(at + HELLO_BYTES)
    noise = Buffer.alloc(0)
    mux = createMux(init)
    if (name === undefined) init.write(Buffer.concat([MARK, begun]), () => {})
    onBegin?.()
    if (after.byteLength > 0) take(after)
  }

  function take(bytes: Buffer): void {
    const held = mux
    if (held === undefined) {
      listen(bytes)
      return
    }
    try {
      held.take(bytes)
    } catch {
      const unread = held.unread()
      mux = undefined
      held.close(new Error('the transport was lost'))
      onLost?.()
      listen(unread)
    }
  }

  return {
    take,
    get mux() {
      return mux
    },
    close(error) {
      mux?.close(error)
      mux = undefined
    },
  }
}
