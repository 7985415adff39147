import type { Source } from '../../../../protocols/service.ts'
import type { ChecksumDatabase } from '../../../config/index.ts'

/** Descriptors of the fetching process beside its job, the archive and its stderr. */
export const GATEWAY_FD = 3
export const ANSWER_FD = 4

/** A source that is downloaded by a process of its own. */
export type FetchSource = Extract<Source, { type: 'git' | 'https' | 'oci' | 'registry' }>

/** A repository by the name of a branch or tag, whose commit is still to be found. */
export type RefSource = {
  readonly type: 'git-ref'
  readonly url: string
  readonly ref: string
  readonly path?: string | undefined
}

/** What the fetching process gets, as one line of JSON on its standard input. The input's end means: stop. */
export type FetchJob = {
  readonly source: FetchSource | RefSource
  /** of a package index: where its API is */
  readonly baseUrl?: string | undefined
  /** what the origin of `baseUrl` gets as the header of that name, and whoever gives its tokens; nobody else does */
  readonly authorization?: string | undefined
  /** of Go: what says which files a version has */
  readonly checksumDatabase?: ChecksumDatabase | undefined
  /** of an image: the sha256 of its manifest, and of the blobs that are here already; hex */
  readonly image?: { readonly digest: string; readonly have: readonly string[] } | undefined
  /** of an image: only its digest is wanted, for this platform; `isNamed`: a person has named it, so it must be that one */
  readonly find?: { readonly platform: string; readonly isNamed?: boolean | undefined } | undefined
  /** bytes that may be downloaded, and that files may have together */
  readonly maxBytes: number
  readonly maxEntries: number
  /** certificate authorities beside those of Node, PEM */
  readonly authorities: readonly string[]
}

/** A header for one origin: no other host, port or scheme sees it, whatever redirects or documents say. */
export type Credentials = { readonly origin: string; readonly authorization: string }

export function credentialsOf({ authorization, baseUrl }: FetchJob): Credentials | undefined {
  if (authorization === undefined || baseUrl === undefined) return undefined
  return { origin: new URL(baseUrl).origin, authorization }
}

/** What it says of an archive, as a line of JSON on ANSWER_FD, before the archive comes. */
export type FetchAbout = Pick<FetchDone, 'integrity' | 'commit'>

type FetchDone = {
  readonly done: true
  readonly integrity: Integrity
  /** which commit it was, where the source is git; which one a package index names in place of a checksum */
  readonly commit?: string | undefined
  /** of the manifest that was found, hex */
  readonly digest?: string | undefined
}

/** What it answers, as the last line of JSON on ANSWER_FD, when the archive is on its standard output. */
export type FetchResult = FetchDone | { readonly done: false; readonly why: FetchFailure; readonly message: string }

/** How sure the source itself is of what it gave: the content id decides in any case. */
export type Integrity = 'strong' | 'sha1' | 'none'

/** `unusable`: what the source has is not, and will not be, this code. `unavailable`: it may be later. */
export type FetchFailure = 'unusable' | 'unavailable' | 'too-large' | 'disk-full'
