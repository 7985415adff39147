import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { PassThrough, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib'
import { messageOf } from '../../base/errors.ts'
import { LAYER_FD, type LayerJob, type LayerResult } from './layer-job.ts'
import { createTarCounter } from './tar-counter.ts'

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
    .then((measured): LayerResult => ({ done: true, ...measured }))
    .catch((error): LayerResult => {
      return { done: false, why: error instanceof TooLarge ? 'too-large' : 'malformed', message: messageOf(error) }
    })
    .then((result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.stdin.destroy()))
})

async function measure({ compression, maxBytes }: LayerJob): Promise<{ bytes: number; diffId: string }> {
  const counter = createTarCounter()
  const hash = createHash('sha256')
  let isFirst = true
  const count = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      if (isFirst && isCompressed(piece)) throw new Error('it is compressed once more than its media type says')
      isFirst = false
      hash.update(piece)
      counter.take(piece)
      if (counter.bytes > maxBytes) throw new TooLarge('more than allowed')
    }
  }
  const file = createReadStream('', { fd: LAYER_FD })
  const reader = decompressor(compression)
  await pipeline(file, reader, count, stopped)
  if ('bytesWritten' in reader && reader.bytesWritten !== file.bytesRead) throw new Error('something follows its end')
  return { bytes: counter.bytes, diffId: hash.digest('hex') }
}

/** Gzip, bzip2, xz, zstd and its frames to skip. An engine goes by these bytes and by no media type. */
function isCompressed(bytes: Buffer): boolean {
  return /^(1f8b|425a68|fd377a|28b52ffd|5.2a4d18)/.test(bytes.toString('hex', 0, 4))
}

function decompressor(compression: LayerJob['compression']): Transform | Gunzip | ZstdDecompress {
  if (compression === 'none') return new PassThrough()
  if (compression === 'gzip') return createGunzip()
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } })
}
