import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { PassThrough, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { messageOf } from '../../base/errors.ts'
import { LAYER_FD, type LayerJob, type LayerResult } from './layer-job.ts'

/**
 * The process that decompresses a layer of an image to learn how large it is: ten megabytes may be ten gigabytes. It keeps
 * nothing of it.
 *
 * `layer-child [uid]`: where the node is root it becomes this user first.
 */
const user = process.argv[2]
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

/** log2 of the largest zstd window: 128 MiB, what engines take. */
const ZSTD_WINDOW_LOG = 27

class TooLarge extends Error {}

const lines = createInterface({ input: process.stdin })
const stopped = new AbortController()
lines.once('close', () => stopped.abort(new Error('the node has gone')))
lines.once('line', (line) => {
  void measure(JSON.parse(line) as LayerJob)
    .then((bytes): LayerResult => ({ done: true, bytes }))
    .catch((error): LayerResult => {
      return { done: false, why: error instanceof TooLarge ? 'too-large' : 'malformed', message: messageOf(error) }
    })
    .then((result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.stdin.destroy()))
})

async function measure({ compression, maxBytes }: LayerJob): Promise<number> {
  let bytes = 0
  const count = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw new TooLarge('more than allowed')
    }
  }
  await pipeline(createReadStream('', { fd: LAYER_FD }), decompressor(compression), count, stopped)
  return bytes
}

function decompressor(compression: LayerJob['compression']): Transform {
  if (compression === 'none') return new PassThrough()
  if (compression === 'gzip') return createGunzip()
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })
}
