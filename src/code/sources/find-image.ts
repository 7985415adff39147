import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { parseImageRef } from '../../base/image-ref.ts'
import {
  type ClientAccessReader,
  type ClientRegistries,
  imageAddresses,
  type RunnerConfig,
} from '../../config/index.ts'
import { createEgress, type EgressComponents } from '../../egress/index.ts'
import { FetchFailedError, UnusableSourceError } from './child/errors.ts'
import { fetchInProcess } from './fetch-process.ts'
import { clientWay } from './registry-client.ts'
import { fetchError } from './sources.ts'
import { HTTPS_PORT, namedHostPolicy } from './storage-access.ts'

/** A registry answers a manifest or two. */
const FIND_MS = 2 * 60_000
const MAX_BYTES = 8 * 1024 * 1024

export type FindImageInit = {
  /** of whoever runs this program */
  readonly registries: RunnerConfig['REGISTRIES']
  readonly clients?: ClientRegistries | undefined
  /** that person's logins */
  readonly clientAccess?: ClientAccessReader | undefined
  /** "linux/amd64": which image of an index */
  readonly platform: string
  /** a person has named it: an image without an index must be for it, too */
  readonly isNamed?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The digest (sha256, hex) of the manifest that a reference names now, for one platform. That person may reach the very
 * registry that they name wherever it leads. Throws UnusableSourceError or UnavailableError.
 */
export async function findImage(
  { clock, network }: { clock: Clock; network: EgressComponents },
  ref: string,
  { registries, clients, clientAccess, platform, isNamed, signal }: FindImageInit,
): Promise<string> {
  const from = `the image ${ref}`
  const found = imageAddresses({ REGISTRIES: registries, ALLOWED_STORAGE: everyHost(ref) }, ref, { own: true, clients })
  if ('refused' in found) throw new UnusableSourceError(found.refused)
  using limit = deadline(clock, FIND_MS, new TimeoutError(`${from}: the registry takes longer than 2 minutes`), signal)
  const problems: Error[] = []
  for (const { url } of found) {
    const source = { type: 'oci', ref } as const
    const named = { baseUrl: url, policy: namedHostPolicy(url, [HTTPS_PORT]) }
    const { policy, settings } = await clientWay(named, source, clientAccess, { own: true, privateAllowed: true })
    const egress = createEgress(network, { policy })
    const dir = await mkdtemp(join(tmpdir(), 'thundercloud-'))
    const job = {
      ...settings,
      source,
      find: { platform, isNamed },
      baseUrl: url,
      maxBytes: MAX_BYTES,
      maxEntries: 1,
    }
    try {
      const { digest } = await fetchInProcess(job, { clock, egress, dir, signal: limit.signal }, async (nothing) => {
        nothing.resume()
      })
      if (digest !== undefined) return digest
      throw new FetchFailedError('unusable', 'the registry names no manifest')
    } catch (error) {
      limit.signal.throwIfAborted()
      problems.push(fetchError(error, from))
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }
  throw problems.find((problem) => problem instanceof UnavailableError) ?? problems[0]
}

/** A person needs no permission of a policy for what is done in their own name. */
function everyHost(ref: string): string[] {
  return [URL.parse(`https://${parseImageRef(ref).registry}`)?.hostname ?? '']
}
