import { z } from 'zod'
import { MAX_BLOB_BYTES, MAX_MANIFEST_BYTES } from '../../../protocols/limits.ts'
import { BadArchiveError } from '../errors.ts'

/** One blob of an image: its configuration, or a layer. */
export type ImageBlob = {
  /** sha256, hex */
  readonly digest: string
  readonly size: number
}

export type ImageLayer = ImageBlob & { readonly compression: 'none' | 'gzip' | 'zstd' }

/** What the manifest of an image for one platform names (OCI image spec 1.1, or Docker image manifest 2.2). */
export type ImageManifest = {
  readonly config: ImageBlob
  readonly layers: readonly ImageLayer[]
  /** Each blob once, the largest first: it takes longest. */
  readonly blobs: readonly ImageBlob[]
  /** All of them together. */
  readonly size: number
}

/** As many as engines take. */
const MAX_LAYERS = 127
/** An engine holds a configuration in its memory. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024

const CONFIGS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json']
const LAYERS: Readonly<Record<string, ImageLayer['compression']>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
}
export const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]

const blobSchema = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits'),
  size: z.int().min(0).max(MAX_BLOB_BYTES),
  urls: z.array(z.string()).optional(),
})

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: blobSchema.extend({ size: z.int().min(0).max(MAX_CONFIG_BYTES) }),
  layers: z.array(blobSchema).min(1).max(MAX_LAYERS),
})

/** Reads a manifest whose bytes are the ones that were asked for. Throws BadArchiveError in one sentence. */
export function decodeImageManifest(bytes: Uint8Array): ImageManifest {
  const { config, layers } = parse(bytes)
  if (!CONFIGS.includes(config.mediaType)) throw invalid(`its configuration is ${quoted(config.mediaType)}`)
  const read = layers.map(({ mediaType, digest, size, urls = [] }) => {
    const compression = LAYERS[mediaType]
    if (compression === undefined) throw invalid(`a layer is ${quoted(mediaType)}, which no engine here reads`)
    // such a layer lies at an address of the author's choice, and no registry has it
    if (urls.length > 0) throw invalid('a layer names addresses of its own (urls); push the image with all its layers')
    return { digest: hexOf(digest), size, compression }
  })
  const all = [
    { digest: hexOf(config.digest), size: config.size },
    ...read.map(({ digest, size }) => ({ digest, size })),
  ]
  const blobs = new Map<string, ImageBlob>()
  for (const blob of all) {
    const before = blobs.get(blob.digest)
    if (before !== undefined && before.size !== blob.size) throw invalid('it gives one blob two sizes')
    blobs.set(blob.digest, blob)
  }
  const size = [...blobs.values()].reduce((sum, blob) => sum + blob.size, 0)
  return { config: all[0] as ImageBlob, layers: read, blobs: [...blobs.values()].sort((a, b) => b.size - a.size), size }
}

function parse(bytes: Uint8Array): z.output<typeof manifestSchema> {
  if (bytes.byteLength > MAX_MANIFEST_BYTES) throw invalid(`it has more than ${MAX_MANIFEST_BYTES} bytes`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid('it is no JSON', cause)
  }
  const { mediaType } = (value ?? {}) as { mediaType?: unknown }
  if (typeof mediaType === 'string' && INDEXES.includes(mediaType)) {
    throw invalid('it is an index of several platforms; publish the manifest of one')
  }
  const parsed = manifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw invalid(`${issue?.path.join('.') || 'it'}: ${issue?.message}`, parsed.error)
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length)
}

function quoted(mediaType: string): string {
  return JSON.stringify(mediaType.slice(0, 100))
}

function invalid(problem: string, cause?: unknown): BadArchiveError {
  return new BadArchiveError(`the manifest of the image is not one that can be run: ${problem}`, { cause })
}
