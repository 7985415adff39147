import { anySignal } from 'any-signal'
import type { CID } from '../../../protocols/encoding.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import type { ClientAccessReader } from '../../config/index.ts'
import { checkHost, createEgress, type EgressComponents } from '../../egress/index.ts'
import type { TarLimits } from '../archive/tar-read.ts'
import { DOWNLOAD_MS, DOWNLOADS } from '../constants.ts'
import { DiskFullError, HashMismatchError, StoreFullError, TooLargeError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { Arrival, CodeStore, StorageConfig } from '../types.ts'
import { FetchFailedError, UnusableSourceError } from './child/errors.ts'
import type { FetchAbout, FetchSource } from './child/job.ts'
import { describeSource } from './describe-source.ts'
import { createDownloadSlots, type DownloadSlot } from './download-slots.ts'
import { fetchInProcess } from './fetch-process.ts'
import { clientWay } from './registry-client.ts'
import { type StorageAccess, storageAccess } from './storage-access.ts'
import { openImageIntake } from './take-image.ts'

export type SourcesComponents = {
  readonly clock: Clock
  readonly events: Emitter<CodeEvents>
  readonly store: Pick<CodeStore, 'addTar' | 'images' | 'scratch'>
  /** the machine's own network, which the gateway connects through */
  readonly network: EgressComponents
}

export type SourcesInit = {
  /** the policy in force */
  readonly storage: () => StorageConfig
  /** what downloads from package indexes take from the indexes' own clients; none where it is not given */
  readonly clientAccess?: ClientAccessReader | undefined
}

export type SourceFetchOptions = {
  readonly limits: TarLimits
  /** it is for a service of the node's own address */
  readonly own?: boolean | undefined
  /** of the service; each has a share of the download slots */
  readonly author?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Where code comes from when no peer has it. */
export interface CodeSources {
  /**
   * Downloads the code from one source into the store. Throws UnusableSourceError or HashMismatchError where this source
   * will not have it, UnavailableError where it may later, TooLargeError, StoreFullError or DiskFullError.
   */
  fetch(source: FetchSource, code: CID, options: SourceFetchOptions): Promise<void>
  /** Why a download of the code, for a service of this author, waits for its turn; undefined where none does. */
  whyWaits(code: CID, author: string): string | undefined
}

export function createCodeSources(components: SourcesComponents, init: SourcesInit): CodeSources {
  const { clock, events, store, network } = components
  const slots = createDownloadSlots(DOWNLOADS)

  async function fetchWith(
    access: StorageAccess,
    source: FetchSource,
    code: CID,
    options: SourceFetchOptions,
    slot: DownloadSlot,
  ) {
    if ('refused' in access) throw new UnusableSourceError(access.refused)
    const { limits } = options
    // it may have waited for its turn, and nothing is evicted for what cannot come
    options.signal?.throwIfAborted()
    const [host, port] = firstHost(source, access)
    checkHost(access.policy, host, port)
    const how = { own: options.own === true, privateAllowed: false }
    const { policy, settings } = await clientWay(access, source, init.clientAccess, how)
    const from = describeSource(source)
    const tooLong = new TimeoutError(`${from} takes longer than ${DOWNLOAD_MS / 60_000} minutes`)
    using limit = deadline(clock, DOWNLOAD_MS, tooLong, options.signal)
    // the download and what it unpacks to
    await using scratch = await store.scratch(source.type === 'oci' ? 0 : 2 * limits.maxBytes)
    const signal = anySignal([limit.signal, scratch.full])
    using _signal = { [Symbol.dispose]: signal.clear }
    const startedAt = clock.monotonic()
    events.emit('code:fetch-started', { code: code.toString() })
    const egress = createEgress(network, { policy, listedIn: 'ALLOWED_STORAGE' })
    const intake = source.type === 'oci' ? openImageIntake(store.images, code) : undefined
    await using _intake = intake
    const image = intake && { digest: digestOf(code), have: intake.have }
    const { maxBytes, maxEntries } = limits
    const job = { ...settings, source, image, baseUrl: access.baseUrl, maxBytes, maxEntries }
    let arrival: Arrival = { from: source.type, source: from, startedAt }
    let size = 0
    await fetchInProcess(job, { clock, egress, dir: scratch.dir, signal, slot }, async (stream, about) => {
      // an image is named by its digest
      if (source.type === 'registry') arrival = { ...arrival, ...checkedBy(await about) }
      if (intake !== undefined) size = await intake.take(stream, arrival, limits.maxBytes)
      else size = (await store.addTar(stream, { ...arrival, expected: code, signal })).size
    }).catch((error) => {
      throw fetchError(error, from)
    })
    const ms = clock.monotonic() - startedAt
    events.emit('code:fetch-finished', { code: code.toString(), size, ms, from: source.type, source: from })
  }

  return {
    whyWaits: (code, author) => slots.whyWaits({ author, what: code.toString() }),
    async fetch(source, code, options) {
      const problems: Error[] = []
      for (const access of storageAccess(init.storage(), source, options)) {
        options.signal?.throwIfAborted()
        try {
          const of = { author: options.author ?? '', what: code.toString() }
          return await slots.run(of, (slot) => fetchWith(access, source, code, options, slot), options.signal)
        } catch (error) {
          options.signal?.throwIfAborted()
          if (error instanceof StoreFullError || error instanceof DiskFullError) throw error
          problems.push(error as Error)
        }
      }
      // a mirror that may answer later speaks for all of them
      throw problems.find((problem) => problem instanceof UnavailableError) ?? problems[0]
    },
  }
}

/** Of the manifest that a content id names, hex. */
function digestOf(code: CID): string {
  return Buffer.from(code.multihash.digest).toString('hex')
}

/** What a package index gives to check its file by, where that is little. */
function checkedBy({ integrity, commit }: Partial<FetchAbout> = {}): Pick<Arrival, 'checksum' | 'commit'> {
  if (integrity === 'none') return { checksum: 'none', commit }
  return integrity === 'sha1' ? { checksum: 'sha1' } : {}
}

/** Where the first connection goes. */
function firstHost(source: FetchSource, access: Extract<StorageAccess, { policy: unknown }>): [string, number] {
  const { hostname, port, protocol } = new URL(access.baseUrl ?? ('url' in source ? source.url : ''))
  return [hostname, Number(port || (protocol === 'https:' ? 443 : 80))]
}

/** How a download that failed is said. */
export function fetchError(error: unknown, from: string): Error {
  if (error instanceof HashMismatchError) {
    return new HashMismatchError(`${from} has other files: ${error.message}`, { cause: error })
  }
  // a source that takes all the time there is takes it again
  if (error instanceof TimeoutError) return new UnusableSourceError(error.message, { cause: error })
  if (!(error instanceof FetchFailedError)) return error as Error
  const text = `${from}: ${sanitizeText(error.message, 300)}`
  switch (error.why) {
    case 'too-large':
      return new TooLargeError(text)
    case 'disk-full':
      return new DiskFullError('the disk is full: free some space, or use another disk')
    case 'unusable':
      return new UnusableSourceError(text)
    case 'unavailable':
      return new UnavailableError(text)
  }
}
