import { formatBytes } from '../../../../base/format.ts'
import { TooLargeError } from '../../../errors.ts'
import { UnusableSourceError } from '../errors.ts'

/** A copy without a length is of so many bytes. */
const USUAL_COPY = 0x10000

/**
 * An object by what differs from another one: the lengths of both, then copies of ranges of the base and new bytes (git's
 * `gitformat-pack`, "Deltified representation"). Throws UnusableSourceError, or TooLargeError before it takes the memory.
 */
export function applyDelta(base: Buffer, delta: Buffer, maxBytes: number): Buffer {
  let at = 0
  const next = () => {
    const byte = delta[at++]
    if (byte === undefined) throw broken()
    return byte
  }
  const length = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = next()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  /** Little-endian, of the bytes that these bits say are there. */
  const sparse = (bits: number, most: number) => {
    let value = 0
    for (let index = 0; index < most; index++) if ((bits >> index) & 1) value += next() * 256 ** index
    return value
  }

  if (length() !== base.byteLength) throw broken()
  const size = length()
  if (size > maxBytes) {
    throw new TooLargeError(
      `the commit has a file of ${formatBytes(size)}; of git at most ${formatBytes(maxBytes)} are read`,
    )
  }
  const result = Buffer.alloc(size)
  let done = 0
  while (at < delta.byteLength) {
    const command = next()
    if (command === 0) throw broken()
    const isCopy = command >= 128
    const from = isCopy ? sparse(command, 4) : at
    const count = isCopy ? sparse(command >> 4, 3) || USUAL_COPY : command
    const source = isCopy ? base : delta
    if (from + count > source.byteLength || done + count > size) throw broken()
    source.copy(result, done, from, from + count)
    done += count
    if (!isCopy) at += count
  }
  if (done !== size) throw broken()
  return result
}

function broken(): UnusableSourceError {
  return new UnusableSourceError(
    'the pack of the commit cannot be read: an object does not fit the one that it is based on',
  )
}
