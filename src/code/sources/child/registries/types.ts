import type { ChecksumDatabase } from '../../../../config/index.ts'
import type { EntryOrigin } from '../../../archive/pack-list.ts'
import type { Http } from '../http.ts'
import type { FetchSource } from '../job.ts'

export type RegistrySource = Extract<FetchSource, { type: 'registry' }>

/** Hashes that registries give; `base64` and hex are both in use. */
export type Checksum = { readonly algorithm: 'sha512' | 'sha384' | 'sha256' | 'sha1'; readonly digest: Buffer }

/** One file of a registry that holds a package. */
export type PackageFile = {
  readonly url: URL
  /** as the registry gives it; undefined where it gives none */
  readonly checksum?: Checksum | undefined
  /** of git, where the registry names it in place of a checksum: nothing in the file can be checked against it */
  readonly commit?: string | undefined
  /** of the files in it, "h1:..."; undefined where nobody gives one */
  readonly contentHash?: string | undefined
  /** which prefix its entries have */
  readonly origin: EntryOrigin
  /** of a module of Go */
  readonly root?: string | undefined
  /** the archive inside of the file that holds the code */
  readonly inner?: string | undefined
}

export type RegistryContext = {
  readonly http: Http
  /** where the registry's API is; ends with a slash */
  readonly base: URL
  /** of Go */
  readonly checksumDatabase?: ChecksumDatabase | undefined
}

/** Finds the file of exactly this version. Throws UnusableSourceError where there is none. */
export type Registry = (source: RegistrySource, context: RegistryContext) => Promise<PackageFile>
