import type { Duplex } from 'node:stream'
import type Docker from 'dockerode'
import { type Engine, queryParams } from '../engine.ts'

const HEADER_BYTES = 8
const STDOUT = 1

/** A container's stdin and stdout, as the engine hands them to a client from now on; what was written before is gone. */
export type Attachment = {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void
  /** Whether it keeps the process alive. */
  hold(held: boolean): void
  close(): void
}

export async function attach(
  engine: Engine,
  name: string,
  { onBytes, onClose }: { onBytes(bytes: Buffer): void; onClose(error?: Error): void },
): Promise<Attachment> {
  const path = `/containers/${encodeURIComponent(name)}/attach?`
  const streams = queryParams({ stream: '1', stdin: '1', stdout: '1' })
  const statusCodes = { 404: 'gone', 409: 'not running' }
  const options = { path, options: streams, method: 'POST', hijack: true, isStream: true, statusCodes }
  const dial = ({ modem }: Docker) =>
    new Promise<unknown>((resolve, reject) => {
      modem.dial(options, (error: unknown, socket: unknown) => (error ? reject(error) : resolve(socket)))
    })
  const socket = (await engine.ask(dial)) as Duplex & { ref?(): void; unref?(): void }
  const unpack = createUnpacker(onBytes)
  let error: Error | undefined
  socket
    .on('data', unpack)
    .on('error', (problem: Error) => {
      error = problem
    })
    .on('end', () => socket.destroy())
    .on('close', () => onClose(error))
  return {
    write: (bytes, done) => void socket.write(bytes, done),
    hold: (held) => (held ? socket.ref?.() : socket.unref?.()),
    close: () => void socket.destroy(),
  }
}

/** The engine's framing: one byte says which stream, bytes 4 to 7 how much follows, and a write may be cut anywhere. */
function createUnpacker(onBytes: (bytes: Buffer) => void): (bytes: Buffer) => void {
  let head: Buffer = Buffer.alloc(0)
  let left = 0
  let wanted = false
  return (bytes) => {
    let rest = bytes
    while (rest.byteLength > 0) {
      if (left === 0) {
        const missing = HEADER_BYTES - head.byteLength
        head = Buffer.concat([head, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (head.byteLength < HEADER_BYTES) return
        wanted = head[0] === STDOUT
        left = head.readUInt32BE(4)
        head = Buffer.alloc(0)
      }
      const part = rest.subarray(0, left)
      rest = rest.subarray(part.byteLength)
      left -= part.byteLength
      if (wanted && part.byteLength > 0) onBytes(part)
    }
  }
}
