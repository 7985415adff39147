import { createHash } from 'node:crypto'
import type { SourceEntry, SourceTree } from '../../archive/pack-list.ts'
import { NotFoundError, UnauthorizedError, UnusableSourceError } from './errors.ts'
import { fetchCommit } from './git/fetch-commit.ts'
import { findCommit } from './git/find-commit.ts'
import { readCommit } from './git/read-commit.ts'
import { openRepository } from './git/repository.ts'
import type { Http } from './http.ts'
import type { FetchJob, Integrity } from './job.ts'
import { readArchive } from './read-archive.ts'
import { contentHash } from './registries/content-hash.ts'
import { registries } from './registries/index.ts'
import { loginError } from './registries/login-error.ts'
import type { PackageFile, RegistryContext, RegistrySource } from './registries/types.ts'
import type { StagingFile } from './staging-file.ts'

export type Downloaded = {
  readonly tree: SourceTree
  readonly entries: readonly SourceEntry[]
  readonly integrity: Integrity
  readonly commit?: string | undefined
}

/** Downloads what the job's source names into the staging file. */
export async function download(
  job: FetchJob,
  http: Http,
  staging: StagingFile,
  createInner: () => StagingFile,
): Promise<Downloaded> {
  const { source } = job
  if (source.type === 'oci') throw new UnusableSourceError('an image is no archive')
  if (source.type === 'registry') return await downloadPackage(source, job, { http, staging, createInner })
  if (source.type === 'git' || source.type === 'git-ref') return await downloadCommit(source, job, http, staging)
  const { body } = await http.get(new URL(source.url), job)
  await readArchive(body, staging)
  return { tree: { origin: 'https', path: source.path }, entries: staging.entries, integrity: 'none' }
}

async function downloadCommit(
  source: Extract<FetchJob['source'], { type: 'git' | 'git-ref' }>,
  { maxBytes }: FetchJob,
  http: Http,
  staging: StagingFile,
): Promise<Downloaded> {
  const { path } = source
  const repository = await openRepository(http, new URL(source.url))
  const commit = source.type === 'git' ? source.commit : await findCommit(http, repository, source.ref)
  await readCommit(fetchCommit(http, repository, commit, maxBytes), commit, path, staging)
  // a commit names its files by SHA-1
  return { tree: { origin: 'git', path }, entries: staging.entries, integrity: 'sha1', commit }
}

async function downloadPackage(
  source: RegistrySource,
  job: FetchJob,
  { http, staging, createInner }: { http: Http; staging: StagingFile; createInner: () => StagingFile },
): Promise<Downloaded> {
  const base = new URL((job.baseUrl ?? '').replace(/\/*$/, '/'))
  const { file, body } = await openPackage(source, { http, base, checksumDatabase: job.checksumDatabase }, job)
  await readArchive(verified(body, file), staging)
  if (file.contentHash !== undefined && file.contentHash !== (await contentHash(staging.entries))) {
    throw new UnusableSourceError(
      `${file.url.host} sent other files than the checksum database has (${file.contentHash})`,
    )
  }
  let read = staging
  if (file.inner !== undefined) {
    const inner = staging.entries.find((entry) => entry.path === file.inner && 'open' in entry)
    if (inner === undefined || !('open' in inner)) throw new UnusableSourceError(`the package has no ${file.inner}`)
    read = createInner()
    await readArchive(asyncOf(inner.open({})), read)
  }
  return {
    tree: { origin: file.origin, root: file.root, path: source.path },
    entries: read.entries,
    integrity: integrityOf(file),
    commit: file.commit,
  }
}

/** Ends a wrong download early: with its last byte, and before anything is made of it. */
async function* verified(body: AsyncIterable<Uint8Array>, { checksum, url }: PackageFile): AsyncGenerator<Uint8Array> {
  const hash = checksum === undefined ? undefined : createHash(checksum.algorithm)
  for await (const piece of body) {
    hash?.update(piece)
    yield piece
  }
  if (checksum === undefined || hash?.digest().equals(checksum.digest) === true) return
  throw new UnusableSourceError(
    `${url.host} sent a file whose ${checksum.algorithm} is not the one that the registry gives`,
  )
}

async function openPackage(source: RegistrySource, context: RegistryContext, { maxBytes }: FetchJob) {
  try {
    const file = await registries[source.kind](source, context)
    const { body } = await context.http.get(file.url, { maxBytes })
    return { file, body }
  } catch (error) {
    if (error instanceof UnauthorizedError) throw loginError(source, context)
    if (!(error instanceof NotFoundError)) throw error
    throw new UnusableSourceError(`there is no such package or version (${error.message})`, { cause: error })
  }
}

function integrityOf({ checksum, contentHash }: PackageFile): Integrity {
  if (contentHash !== undefined) return 'strong'
  if (checksum === undefined) return 'none'
  return checksum.algorithm === 'sha1' ? 'sha1' : 'strong'
}

async function* asyncOf(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}
