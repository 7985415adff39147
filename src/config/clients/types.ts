import type { RegistryKind } from '../../../protocols/registries.ts'
import type { Env } from '../env.ts'
import type { Credentials } from './authorization.ts'

/** Each package index has a client, and so have registries of images. */
export type ClientKind = RegistryKind | 'docker'

/** What has an address of its own: a package index, a scope of npm like "@team", and Docker's default registry. */
export type RegistryClient = ClientKind | `@${string}`

/**
 * Where the package managers of this machine download from: the base address that each is configured to use. What has no
 * address here has none but REGISTRIES. No secret is in it: the runner sees it.
 */
export type ClientRegistries = Readonly<Partial<Record<RegistryClient, string>>>

/** The settings of the person that the program runs for. */
export type ClientSettings = {
  readonly env: Env
  readonly home: string
  /** a file's text; undefined where there is none that can be read */
  text(path: string): Promise<string | undefined>
}

/** One fact of a client's own settings, in the client's own spelling. May throw where its file is broken. */
export type ClientReader = (settings: ClientSettings) => Promise<string | undefined>

/** The login for this address. */
export type CredentialsReader = (settings: ClientSettings, url: URL) => Promise<Credentials | undefined>

/** What is read of one client's settings. */
export type PackageClient = {
  /** the base address, which may have a login in it */
  readonly address: ClientReader
  /** beside a login in the address */
  readonly credentials?: CredentialsReader
  /** the file of certificate authorities, PEM */
  readonly authorityFile?: ClientReader
}

/** The transparent log that says what each version of a module of Go is (`go help module-auth`). */
export type ChecksumDatabase = {
  readonly name: string
  /** where it answers itself; a module proxy may answer for it */
  readonly url: string
  /** with which it signs: "NAME+HASH+KEY"; without it, its answers are taken as those of any server */
  readonly key?: string | undefined
}

/** What a download from one address of a package index or registry takes from its own client beside the address. */
export type ClientAccess = {
  /** certificate authorities beside those of Node, PEM */
  readonly authorities?: readonly string[] | undefined
  /** the header of that name, for the origin of the address alone, and for services of the node's own address alone */
  readonly authorization?: string | undefined
  readonly checksumDatabase?: ChecksumDatabase | undefined
}

/** Reads it when it is needed, so that no secret is kept. */
export interface ClientAccessReader {
  /** For one package or image, at this address. Throws InputError where the client's settings are wrong. */
  read(kind: ClientKind, name: string, url: string): Promise<ClientAccess>
}
