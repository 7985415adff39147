import { readFile } from 'node:fs/promises'
import { parseCid } from '../../../protocols/encoding.ts'
import { CHUNK_BYTES } from '../../../protocols/limits.ts'
import { decodeArchiveRequest, encodeArchiveAnswer } from '../../../protocols/streams/archive.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import { systemRng } from '../../../src/base/rng.ts'
import type { CodeEvents } from '../../../src/code/events.ts'
import { fetchCode } from '../../../src/code/fetch/fetch.ts'
import { createBufferPool } from '../../../src/code/store/buffer-pool.ts'
import { createCodeStore } from '../../../src/code/store/store.ts'
import { streamPair } from '../../fixtures/mesh/stream-pair.ts'

/** Fetches slowly into a store, tells its parent how far it is, and waits to be killed. */
const [dir = '', tarPath = '', code = '', manifest = ''] = process.argv.slice(2)
const tar = await readFile(tarPath)
const components = { rng: systemRng(), clock: systemClock(), log: silentLog(), events: createEvents<CodeEvents>() }
const store = await createCodeStore(components, { dir, maxBytes: 2 ** 30 })
const streams = {
  async open() {
    const [mine, theirs] = streamPair('me', 'alice')
    const serve = async () => {
      for (let bytes = await theirs.read(); bytes !== undefined; bytes = await theirs.read()) {
        const request = decodeArchiveRequest(bytes)
        const start = request.want === 'chunks' ? request.first * CHUNK_BYTES : 0
        const answer =
          request.want === 'manifest' ? Buffer.from(manifest, 'base64') : tar.subarray(start, start + CHUNK_BYTES)
        await theirs.write(encodeArchiveAnswer({ is: 'bytes', bytes: answer }))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    serve().catch(() => {})
    return mine
  },
}
await fetchCode({ ...components, store, streams, buffers: createBufferPool(7) }, parseCid(code), {
  providers: () => ['alice'],
  onProgress: ({ bytes }) => void process.send?.(bytes),
})
