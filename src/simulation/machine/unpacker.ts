import { compareBytes, sha256 } from '../../../protocols/encoding.ts'
import { chunkLength } from '../../../protocols/streams/archive.ts'
import type { Disk } from '../../base/os/disk.ts'
import { createTarReader } from '../../code/archive/tar-read.ts'
import { HashMismatchError } from '../../code/errors.ts'
import type { CodeComponents } from '../../code/index.ts'

type Unpacker = NonNullable<CodeComponents['unpacker']>

/**
 * Reads an archive as an unpacking process does, refuses what it refuses, and makes no files: a simulated program is a
 * function, and reads none.
 */
export function simulatedUnpacker(disk: Disk): Unpacker {
  const unpack: Unpacker['unpack'] = async ({ manifest, tar }, _target, { limits, signal }) => {
    const counted = { files: 0, entries: 0, bytes: manifest.size }
    const count = () => {
      counted.files++
      counted.entries++
    }
    const reader = createTarReader({ file: count, link: count, data() {}, close() {} }, limits)
    await using file = await disk.open(tar)
    for (const [index, hash] of manifest.chunks.entries()) {
      signal?.throwIfAborted()
      const chunk = Buffer.alloc(chunkLength(manifest, index))
      await file.read(chunk, 0, chunk.byteLength, index * manifest.chunkSize)
      if (compareBytes(sha256(chunk), hash) !== 0) throw new HashMismatchError(`chunk ${index} is damaged on this disk`)
      reader.push(chunk)
    }
    reader.end()
    return counted
  }
  return { unpack, check: unpack }
}
