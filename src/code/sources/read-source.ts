import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Clock, deadline } from '../../base/clock.ts'
import { isDiskFull, TimeoutError, UnavailableError } from '../../base/errors.ts'
import {
  type ClientAccessReader,
  type ClientRegistries,
  type RunnerConfig,
  registryAddresses,
  registryOf,
} from '../../config/index.ts'
import { createEgress, type EgressComponents, type EgressPolicy } from '../../egress/index.ts'
import { isExecutable } from '../archive/pack-rules.ts'
import { createTarReader, type TarLimits } from '../archive/tar-read.ts'
import type { PackEntry } from '../archive/tar-write.ts'
import { DOWNLOAD_MS } from '../constants.ts'
import { DiskFullError } from '../errors.ts'
import { FetchFailedError, UnusableSourceError } from './child/errors.ts'
import type { FetchSource, Integrity, RefSource } from './child/job.ts'
import { createStagingFile, type StagingFile } from './child/staging-file.ts'
import { describeSource } from './describe-source.ts'
import { fetchInProcess } from './fetch-process.ts'
import { clientWay } from './registry-client.ts'
import { fetchError } from './sources.ts'
import { FILES_ELSEWHERE, HTTPS_PORT, namedHostPolicy } from './storage-access.ts'

/** What a person names to publish it. */
export type NamedSource = PackedSource | RefSource

/** Files, of which code is made. An image is its own code. */
type PackedSource = Exclude<FetchSource, { type: 'oci' }>

/** The mirrors, and what the package managers are configured to use. */
export type NamedRegistries = {
  readonly REGISTRIES: RunnerConfig['REGISTRIES']
  readonly clients: ClientRegistries
  readonly clientAccess?: ClientAccessReader | undefined
}

export type ReadSourceInit = {
  /** an empty folder, which holds what comes; the caller removes it when the entries have been read */
  readonly dir: string
  /** of whoever runs this program: where packages are downloaded from */
  readonly registries: NamedRegistries
  readonly limits: TarLimits
  readonly signal?: AbortSignal | undefined
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export type ReadSource = {
  /** the source, pinned: of git the commit that was found */
  readonly source: PackedSource
  readonly entries: readonly PackEntry[]
  readonly integrity: Integrity
}

/**
 * Downloads what a person named, in the same confined process as a node does, and reads what of it is code. That person may
 * reach the very host that they name wherever it leads; redirects lead to public addresses alone.
 */
export async function readSource(
  { clock, network }: { clock: Clock; network: EgressComponents },
  named: NamedSource,
  init: ReadSourceInit,
): Promise<ReadSource & Disposable> {
  const from = describeSource(named.type === 'git-ref' ? { ...named, type: 'git', commit: named.ref } : named)
  const tooLong = new TimeoutError(`${from} takes longer than ${DOWNLOAD_MS / 60_000} minutes`)
  using limit = deadline(clock, DOWNLOAD_MS, tooLong, init.signal)
  const problems: Error[] = []
  for (const [index, way] of waysTo(named, init.registries).entries()) {
    const [dir, kept] = ['process', 'kept'].map((name) => join(init.dir, `${name}-${index}`)) as [string, string]
    await mkdir(dir)
    const { maxBytes, maxEntries } = init.limits
    const staging = createStagingFile(kept, init.limits)
    try {
      const { policy, settings } = await clientWay(way, named, init.registries.clientAccess, OWN)
      const egress = createEgress(network, { policy })
      const { integrity, commit } = await fetchInProcess(
        { ...settings, source: named, baseUrl: way.baseUrl, maxBytes, maxEntries },
        { clock, egress, dir, signal: limit.signal, onBytes: init.onBytes },
        (archive) => keep(archive, staging, init.limits),
      )
      const entries = staging.entries.flatMap(packEntry)
      return { source: pinned(named, commit), entries, integrity, [Symbol.dispose]: () => staging[Symbol.dispose]() }
    } catch (error) {
      staging[Symbol.dispose]()
      limit.signal.throwIfAborted()
      problems.push(diskError(error, init.dir) ?? fetchError(error, from))
    }
  }
  // a mirror that may answer later speaks for all of them
  throw problems.find((problem) => problem instanceof UnavailableError) ?? problems[0]
}

/** What a person does in their own name. */
const OWN = { own: true, privateAllowed: true }

/** The one folder that is full is a person's own to choose. */
function diskError(error: unknown, dir: string): DiskFullError | undefined {
  const isFull = error instanceof FetchFailedError ? error.why === 'disk-full' : isDiskFull(error)
  if (!isFull) return undefined
  return new DiskFullError(
    `the disk of ${dirname(dir)} is full: free some space there, or name another folder in TMPDIR`,
  )
}

type Way = { readonly policy: EgressPolicy; readonly baseUrl?: string | undefined }

function waysTo(source: NamedSource, { REGISTRIES, clients }: ReadSourceInit['registries']): Way[] {
  if (source.type !== 'registry') return [{ policy: namedHostPolicy(source.url, [HTTPS_PORT]) }]
  const { kind } = source
  // a person needs no permission of a policy for what is done in their own name
  const config = { REGISTRIES, ALLOWED_STORAGE: [...registryOf(kind).names] }
  const found = registryAddresses(config, source, { own: true, clients })
  if ('refused' in found) throw new UnusableSourceError(found.refused)
  const elsewhere = FILES_ELSEWHERE.has(kind) ? [HTTPS_PORT] : []
  return found.map(({ url }) => ({ baseUrl: url, policy: namedHostPolicy(url, elsewhere) }))
}

async function keep(archive: Readable, staging: StagingFile, limits: TarLimits): Promise<void> {
  const reader = createTarReader(
    {
      file: ({ path }) => staging.file(path),
      data: (bytes) => staging.data(bytes),
      close() {},
      link: (link) => staging.add(link),
    },
    limits,
  )
  for await (const piece of archive as AsyncIterable<Uint8Array>) reader.push(piece)
  reader.end()
}

function packEntry(entry: StagingFile['entries'][number]): PackEntry[] {
  if ('target' in entry) return [entry]
  if (!('open' in entry)) return []
  const { head, ...file } = entry
  return [{ ...file, executable: isExecutable(head) }]
}

function pinned(source: NamedSource, commit: string | undefined): PackedSource {
  if (source.type !== 'git-ref') return source
  const { url, path } = source
  return { type: 'git', url, commit: commit as string, ...(path === undefined ? {} : { path }) }
}
