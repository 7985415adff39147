import { createHash } from 'node:crypto'
import { z } from 'zod'
import { MAX_MANIFEST_BYTES } from '../../../../protocols/limits.ts'
import { joinWords } from '../../../base/format.ts'
import { parseImageRef } from '../../../base/image-ref.ts'
import { TooLargeError } from '../../errors.ts'
import { decodeImageManifest, INDEXES } from '../../images/image-manifest.ts'
import { UnusableSourceError } from './errors.ts'
import type { Http } from './http.ts'
import { credentialsOf, type FetchJob, type FetchSource } from './job.ts'
import { authorized } from './registry-token.ts'

/** An index names a manifest for each platform, and others that vouch for them. */
const MAX_INDEX_BYTES = 4 * 1024 * 1024
const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

type OciJob = FetchJob & { readonly source: Extract<FetchSource, { type: 'oci' }> }
export type ImageJob = OciJob & { readonly image: NonNullable<FetchJob['image']> }
export type FindImageJob = OciJob & { readonly find: NonNullable<FetchJob['find']> }

export function isImageJob(job: FetchJob): job is ImageJob {
  return job.source.type === 'oci' && job.image !== undefined
}

export function isFindImageJob(job: FetchJob): job is FindImageJob {
  return job.source.type === 'oci' && job.find !== undefined
}

/** The digest (hex) of the manifest that the reference names, or of the one for a platform where it names an index. */
export async function findImage(job: FindImageJob, http: Http): Promise<string> {
  const { source, find, baseUrl } = job
  const { reference } = parseImageRef(source.ref)
  const base = repositoryAt(baseUrl, source.ref)
  const ask = authorized(http, source.ref, credentialsOf(job))
  const options = { maxBytes: MAX_INDEX_BYTES, accept: `${MANIFESTS}, ${INDEXES.join(', ')}` }
  const found = await wholeOf(await ask(new URL(`manifests/${reference}`, base), options))
  if (reference.startsWith('sha256:') && reference !== `sha256:${hexOf(found)}`)
    throw new UnusableSourceError('it sends another manifest than the reference names')
  const platforms = platformsOf(found)
  if (platforms === undefined) {
    const { config } = decodeImageManifest(found)
    if (find.isNamed) {
      const blob = await wholeOf(await ask(new URL(`blobs/sha256:${config.digest}`, base), { maxBytes: config.size }))
      checkPlatform(blob, find.platform)
    }
    return hexOf(found)
  }
  const chosen = platforms.find(({ platform }) => platform === find.platform)
  if (chosen === undefined) {
    const there = joinWords([...new Set(platforms.map(({ platform }) => platform))].slice(0, 12))
    throw new UnusableSourceError(`there is none for ${find.platform}; there is one for ${there}`)
  }
  const manifest = await wholeOf(await ask(new URL(`manifests/${chosen.digest}`, base), options))
  if (`sha256:${hexOf(manifest)}` !== chosen.digest)
    throw new UnusableSourceError('it sends another manifest than its index names')
  decodeImageManifest(manifest)
  return hexOf(manifest)
}

/** Of an image that stands alone, its configuration says what it is for. */
function checkPlatform(config: Uint8Array, wanted: string): void {
  const parsed = configSchema.safeParse(jsonOf(config))
  const found = parsed.success ? `${parsed.data.os}/${parsed.data.architecture}` : undefined
  if (found !== wanted)
    throw new UnusableSourceError(`there is none for ${wanted}; it is one image, for ${found ?? 'nobody knows what'}`)
}

const configSchema = z.object({ os: z.string().max(64), architecture: z.string().max(64) })

const indexSchema = z.object({
  manifests: z.array(
    z.object({
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
    }),
  ),
})

/** What an index offers; undefined where it is none. */
function platformsOf(bytes: Uint8Array): { platform: string; digest: string }[] | undefined {
  const parsed = indexSchema.safeParse(jsonOf(bytes))
  if (!parsed.success) return undefined
  return parsed.data.manifests.flatMap(({ digest, platform }) =>
    platform === undefined ? [] : [{ digest, platform: `${platform.os}/${platform.architecture}` }],
  )
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

function repositoryAt(baseUrl: string | undefined, ref: string): URL {
  return new URL(`v2/${parseImageRef(ref).repository}/`, (baseUrl ?? '').replace(/\/*$/, '/'))
}

function hexOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * An image of a registry (OCI distribution spec 1.1), by digest: the length of its manifest in four bytes, the manifest, and
 * then the blobs that are not there yet, the largest first, one after another. The node compares all of it with the digests.
 */
export async function* downloadImage(job: ImageJob, http: Http): AsyncGenerator<Uint8Array> {
  const { source, image, baseUrl, maxBytes } = job
  const base = repositoryAt(baseUrl, source.ref)
  const ask = authorized(http, source.ref, credentialsOf(job))
  const manifest = await wholeOf(
    await ask(new URL(`manifests/sha256:${image.digest}`, base), { maxBytes: MAX_MANIFEST_BYTES, accept: MANIFESTS }),
  )
  const { blobs, size } = decodeImageManifest(manifest)
  if (size > maxBytes) throw new TooLargeError(`the image has ${size} bytes; at most ${maxBytes} are allowed`)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, manifest.byteLength)
  yield length
  yield manifest
  for (const { digest, size: bytes } of blobs) {
    if (image.have.includes(digest)) continue
    const from = new URL(`blobs/sha256:${digest}`, base)
    yield* exactly(bytes, await ask(from, { maxBytes: bytes }), from)
  }
}

/** What comes after a shorter blob would be taken for the rest of it. */
async function* exactly(bytes: number, pieces: AsyncIterable<Uint8Array>, { host }: URL): AsyncGenerator<Uint8Array> {
  let came = 0
  for await (const piece of pieces) {
    came += piece.byteLength
    yield piece
  }
  if (came < bytes)
    throw new UnusableSourceError(`${host} sends a blob of ${came} bytes, and its manifest says ${bytes}`)
}

async function wholeOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces))
}
