import type { LogLevel } from '../base/log.ts'
import type { ClientRegistries } from './clients/types.ts'
import type { DockerEnvironment } from './files/docker-environment.ts'
import type { NodeConfig, Quotas, Timeouts } from './files/node-schema.ts'
import type { RunnerConfig } from './files/runner-schema.ts'
import type { RuntimeInit } from './runtime-dir.ts'

/** Something that the operator should know, and that does not keep the node from starting. */
export type Notice = {
  readonly file: string
  readonly key: string
  /** one sentence */
  readonly message: string
}

/** One of the operator's own services. */
export type OwnService = {
  readonly name: string
  /** `dir`: a folder with code and a service.json; `manifest`: a manifest file. An absolute path. */
  readonly kind: 'dir' | 'manifest'
  readonly path: string
  readonly publish: boolean
}

/** Everything that the operator's files say: validated, derived, paths absolute. Secrets are loaded apart. */
export type Configuration = {
  /** the operator's folder */
  readonly dir: string
  readonly network: string
  readonly visibility: 'public' | 'private'
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly api:
    | { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string; readonly key: string } }
    | false
  readonly peers: { readonly low: number }
  /** what the node relays for others; undefined: nothing */
  readonly relay?: NonNullable<NodeConfig['RELAY']> | undefined
  readonly dataDir: string
  readonly runtime: RuntimeInit
  readonly dockerEnvironment: DockerEnvironment
  readonly logLevel: LogLevel
  /** Are there metrics for Prometheus? */
  readonly metrics: boolean
  /** whom the operator has told of which fault */
  readonly alerts: NodeConfig['ALERTS']
  readonly quotas: Quotas
  readonly timeouts: Timeouts
  readonly services: readonly OwnService[]
  readonly externalServices: readonly { readonly id: string; readonly from?: string | undefined }[]
  readonly runner: {
    /** the runner's entry file, its folder, and its settings file */
    readonly entry: string
    readonly dir: string
    readonly configFile: string
    /** may its process use the network */
    readonly network: boolean
  }
  readonly policy: Policy
  readonly clientRegistries: ClientRegistries
}

/** What decides: the runner's configuration and what follows from it. Read again on a reload. */
export type Policy = {
  readonly config: RunnerConfig
  /** sha256 of the canonical configuration, in hex: what receipts call the policy */
  readonly hash: string
  /** as it was written, with its comments; undefined where it was in memory already */
  readonly text?: string | undefined
  /** STATIC_NODES, by kind */
  readonly staticNodes: { readonly multiaddrs: readonly string[]; readonly origins: readonly string[] }
}
