import { addAbortListener, once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { CID } from '../../../protocols/encoding.ts'
import { entryFile, entryFlags } from '../../base/child-entry.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { errnoOf, TimeoutError, UnavailableError } from '../../base/errors.ts'
import { formatBytes, sanitizeText } from '../../base/format.ts'
import { LruMap } from '../../base/lru-map.ts'
import { startProcess } from '../../process/index.ts'
import { MAX_KNOWN_UNPACKED, UNPACK_HEAP_MB, UNPACK_MS } from '../constants.ts'
import { BadArchiveError, TooLargeError } from '../errors.ts'
import type { AbortOptions } from '../stored-code.ts'
import { unpackUser } from '../unpack/owner.ts'
import { BLOBS } from './image-entry.ts'
import type { ImageLayer } from './image-manifest.ts'
import type { LayerJob, LayerResult } from './layer-job.ts'
import type { ImageStore } from './types.ts'

type Measured = { readonly bytes: number; readonly diffId: string }

/** An engine that has an image of this configuration runs that one, and never sees these layers. */
const OTHER_LAYERS = 'the configuration of the image names other layers than its manifest'

const configSchema = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) })

/** What the layers decompress to, as the configuration has it. */
async function diffIdsOf(config: string): Promise<readonly string[]> {
  try {
    return configSchema.parse(JSON.parse(await readFile(config, 'utf8'))).rootfs.diff_ids
  } catch (cause) {
    if (errnoOf(cause) !== undefined) throw cause
    throw new BadArchiveError('the configuration of the image names no layers (rootfs.diff_ids)', { cause })
  }
}

/** How large the layers of images are once an engine has unpacked them. */
export interface LayerSizes {
  /** Throws TooLargeError where they have more bytes together, BadArchiveError where one cannot be read, or is not what the configuration names. */
  check(code: CID, maxBytes: number, options?: AbortOptions): Promise<void>
}

export function createLayerSizes({ clock, images }: { clock: Clock; images: ImageStore }): LayerSizes {
  /** Of images that were measured since this process began. */
  const known = new LruMap<string, number>(MAX_KNOWN_UNPACKED)

  async function measureAll(code: CID, maxBytes: number, options: AbortOptions): Promise<number> {
    const image = images.open(code)
    if (image === undefined) return 0
    const blobs = join(images.folder(code), BLOBS)
    const diffIds = await diffIdsOf(join(blobs, image.manifest.config.digest))
    const measured = new Map<string, Measured>()
    let bytes = 0
    for (const [index, layer] of image.manifest.layers.entries()) {
      const job = { compression: layer.compression, maxBytes: maxBytes - bytes }
      const key = `${layer.compression} ${layer.digest}`
      const found = measured.get(key) ?? (await measureLayer(join(blobs, layer.digest), layer, job, options))
      measured.set(key, found)
      // an engine unpacks a layer as often as the manifest names it
      bytes += found.bytes
      if (bytes > maxBytes) return Number.POSITIVE_INFINITY
      if (diffIds[index] !== `sha256:${found.diffId}`) throw new BadArchiveError(OTHER_LAYERS)
    }
    if (diffIds.length !== image.manifest.layers.length) throw new BadArchiveError(OTHER_LAYERS)
    return bytes
  }

  async function measureLayer(path: string, layer: ImageLayer, job: LayerJob, options: AbortOptions) {
    const result = await measure(clock, path, job, options)
    if (result.done) return result
    if (result.why === 'malformed') throw new BadArchiveError(malformed(layer, result.message))
    return { bytes: Number.POSITIVE_INFINITY, diffId: '' }
  }

  return {
    async check(code, maxBytes, options = {}) {
      const key = code.toString()
      const bytes = known.get(key) ?? (await measureAll(code, maxBytes, options))
      // what was not measured to its end may be right for a service with more disk
      if (bytes !== Number.POSITIVE_INFINITY) known.set(key, bytes)
      if (bytes <= maxBytes) return
      throw new TooLargeError(
        `the layers of the image unpack to more than ${formatBytes(maxBytes)}, which resources.disk allows`,
      )
    },
  }
}

function malformed({ digest, compression }: ImageLayer, problem: string): string {
  return `the layer ${digest.slice(0, 12)} of the image cannot be read as ${compression === 'none' ? 'a tar' : `a tar in ${compression}`} (${sanitizeText(problem, 100)})`
}

/** In a process that may read this program and the one descriptor, and do nothing else. */
async function measure(clock: Clock, path: string, job: LayerJob, options: AbortOptions): Promise<LayerResult> {
  using limit = deadline(clock, UNPACK_MS, new TimeoutError('measuring a layer takes too long'), options.signal)
  limit.signal.throwIfAborted()
  await using layer = await open(path)
  const user = unpackUser()
  const flags = [
    '--permission',
    `--allow-fs-read=${fileURLToPath(new URL('../..', import.meta.url))}`,
    '--no-experimental-sqlite',
    '--no-warnings',
    `--max-old-space-size=${UNPACK_HEAP_MB}`,
  ]
  const entry = [...entryFlags(import.meta.url), entryFile(import.meta.url, './layer-child')]
  const args = [...flags, ...entry, ...(user === undefined ? [] : [`${user}`])]
  const child = startProcess(
    { kind: 'unpack', program: process.execPath, args },
    { stdio: ['pipe', 'pipe', 'ignore', layer.fd] },
  )
  const [input, answers] = child.stdio as unknown as [Writable, Readable]
  using _kill = addAbortListener(limit.signal, () => void child.kill('SIGKILL'))
  // a child that died early takes no job; its exit tells why
  input.on('error', () => {})
  input.write(`${JSON.stringify(job)}\n`)
  const [said] = await Promise.all([boundedText(answers), once(child, 'close')])
  limit.signal.throwIfAborted()
  const [line = ''] = said.split('\n', 1)
  if (line === '') throw new UnavailableError('the process that measures a layer ended without an answer')
  return JSON.parse(line) as LayerResult
}

const MAX_ANSWER_CHARS = 4096

async function boundedText(stream: Readable): Promise<string> {
  let text = ''
  for await (const piece of stream.setEncoding('utf8') as AsyncIterable<string>) {
    if (text.length < MAX_ANSWER_CHARS) text += piece
  }
  return text
}
