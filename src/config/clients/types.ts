import type { RegistryKind } from '../../../protocols/registries.ts'
import type { Env } from '../env.ts'

/**
 * Where the package managers of this machine download from: the base address of each package index that its own client is
 * configured to use. An index without an address here has none but REGISTRIES.
 */
export type ClientRegistries = Readonly<Partial<Record<RegistryKind, string>>>

/** The settings of the person that the program runs for. */
export type ClientSettings = {
  readonly env: Env
  readonly home: string
  /** a file's text; undefined where there is none that can be read */
  text(path: string): Promise<string | undefined>
}

/** The address that one client is configured to use, in the client's own spelling. May throw where its file is broken. */
export type ClientReader = (settings: ClientSettings) => Promise<string | undefined>
