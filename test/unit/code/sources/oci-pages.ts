import type { SyntheticImage } from '../../../fixtures/code/images.ts'
import type { Page, Storage } from '../../../fixtures/code/source-server.ts'
import { MIB } from '../../../fixtures/code/stores.ts'

export const SIZES = [300, MIB + 5, 2000]
export const REF = `registry.example.org/team/app:1@sha256:${'0'.repeat(64)}`

/** The pages of a registry with this image, but for those that `change` makes different. */
export function pagesOf(
  { manifest, contents, code }: SyntheticImage,
  change: Record<string, Page> = {},
): Record<string, Page> {
  const hex = Buffer.from(code.multihash.digest).toString('hex')
  const blobs = [...contents].map(([digest, bytes]) => [`/v2/team/app/blobs/sha256:${digest}`, bytes] as const)
  return { [`/v2/team/app/manifests/sha256:${hex}`]: manifest, ...Object.fromEntries(blobs), ...change }
}

/** The registry at this address. */
export const mirror = (url: string): Storage => ({ ALLOWED_STORAGE: [], REGISTRIES: { DOCKER: [url] } })
