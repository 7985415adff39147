import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ARCHIVE_PROTOCOL } from '../../../protocols/streams/archive.ts'
import { packEntries } from '../../../src/code/index.ts'
import { ARCHIVE_BYTES, openCode, openNetwork, openRaw, RAW_PROTOCOL, sendAll } from './peers.ts'

/** The serving process of the archive benchmark: one raw libp2p peer and one node's network and code. Ends with its parent. */
const dir = await mkdtemp(join(tmpdir(), 'thundercloud-bench-'))
const network = await openNetwork()
const code = await openCode(network, join(dir, 'store'))
const raw = await openRaw()
try {
  const random = randomBytes(ARCHIVE_BYTES)
  const contents = { random, compressible: proseOf(ARCHIVE_BYTES) }
  const codes: Record<string, string> = {}
  for (const [name, content] of Object.entries(contents)) {
    // a header before it and two blocks after it: the archive has exactly the bytes of the raw stream
    const bytes = content.subarray(0, ARCHIVE_BYTES - 3 * 512)
    const entry = { path: 'content', executable: false, size: bytes.byteLength, open: () => [bytes] }
    const added = await code.addTar(packEntries([entry]))
    if (added.size !== ARCHIVE_BYTES) throw new Error(`the archive has ${added.size} bytes`)
    codes[name] = added.code.toString()
  }
  await network.streams.handle(ARCHIVE_PROTOCOL, code.serve)
  await raw.handle(RAW_PROTOCOL, (stream) => void sendAll(stream, random))
  process.send?.({ raw: raw.getMultiaddrs()[0]?.toString(), node: network.multiaddrs()[0], codes })
  await new Promise((resolve) => process.once('disconnect', resolve))
} finally {
  await raw.stop()
  await code[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
}

/** Random words: zstd compresses them to about a quarter. */
function proseOf(bytes: number): Buffer {
  const words = Array.from({ length: 4096 }, () => randomBytes(3).toString('hex'))
  const text = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; ) {
    const dice = randomBytes(8192)
    for (let i = 0; i < dice.byteLength && at < bytes; i += 2) {
      at += text.write(`${words[dice.readUInt16LE(i) % words.length]} `, at)
    }
  }
  return text
}
