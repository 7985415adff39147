import type { RegistryKind } from '../../protocols/registries.ts'
import type { PortAccess, RunCheck } from '../../protocols/service.ts'
import type { ExecutorName, Verdict } from '../base/verdict.ts'
import type { RunnerConfig } from '../config/index.ts'

/**
 * What a runner decides about: the decoded body of a verified service, as plain JSON. Addresses have their canonical
 * text, content ids their base32 text, times are whole seconds (UTC). All of it but `id` and `sizeBytes` was written
 * by the author: shown to a person, it is text from the network.
 */
export type ReceivedService = {
  readonly id: string
  readonly author: string
  readonly name: string
  readonly seq: number
  readonly title: string
  readonly desc: string
  readonly keywords: readonly string[]
  readonly toolchain: readonly string[]
  readonly symbiotes: readonly string[]
  readonly hostchains: readonly string[]
  readonly issued: number
  readonly expires: number
  readonly code: string
  readonly sources: readonly ReceivedSource[]
  readonly run: ReceivedRun
  readonly resources: Resources
  /** egress asked for, `host:port` */
  readonly network: readonly string[]
  /** wanted runs in the whole mesh */
  readonly replicas: number
  readonly reward?: { readonly asset: string; readonly perHour: string } | undefined
  readonly replyTo: readonly string[]
  /** encoded size of the signed body */
  readonly sizeBytes: number
}

/** Where the code can be had. Of inline code only the size crosses. */
export type ReceivedSource =
  | { readonly type: 'mesh' }
  | { readonly type: 'git'; readonly url: string; readonly commit: string; readonly path?: string | undefined }
  | {
      readonly type: 'registry'
      readonly kind: RegistryKind
      readonly name: string
      readonly version: string
      readonly path?: string | undefined
    }
  | { readonly type: 'https'; readonly url: string; readonly path?: string | undefined }
  | { readonly type: 'oci'; readonly ref: string }
  | { readonly type: 'inline'; readonly sizeBytes: number }

export type ReceivedRun = {
  readonly command: readonly string[]
  readonly build?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly workdir?: string | undefined
  readonly ports?:
    | readonly { readonly name: string; readonly port: number; readonly access?: PortAccess | undefined }[]
    | undefined
  readonly kind: 'task' | 'service'
  /** seconds of one run */
  readonly timeout?: number | undefined
  readonly restart?: 'never' | 'on-failure' | 'always' | undefined
  /** how it is found out whether it works; without it, by its ports */
  readonly check?: RunCheck | undefined
  /** what a task leaves for its author */
  readonly outputs?: readonly string[] | undefined
}

/** Bytes of memory and disk, thousandths of a core, processes and threads. */
export type Resources = {
  readonly memory: number
  readonly disk: number
  readonly cpu: number
  readonly pids: number
}

/** An executor that would start a run now. */
export type AvailableExecutor = {
  readonly name: ExecutorName
  /** canonical names of the toolchains it has; undefined = it does not say */
  readonly toolchains?: readonly string[] | undefined
  /** it takes services of the node's own address only */
  readonly ownOnly?: boolean | undefined
  /** network that it can grant beside none; undefined = none */
  readonly networks?: readonly ('allowlist' | 'open')[] | undefined
  /** the pools that it has, by their names in CONTAINERS, and what all runs in each may use together */
  readonly pools?: readonly {
    readonly name: string
    readonly memoryBytes: number
    readonly cpuMillicores: number
    readonly pids: number
  }[]
  /** for a person: what it is, and which limits it does not enforce */
  readonly note?: string | undefined
}

/** What is free on this node now. */
export type Capacity = {
  readonly memoryBytes: number
  readonly cpuMillicores: number
  readonly diskBytes: number
  readonly pids: number
  /** further runs */
  readonly runs: number
  readonly executors: readonly AvailableExecutor[]
  /**
   * What the node's own machine has free for the executors on it: all but `swarm`. Only with DOCKER_CONFIGS.SWARM: the numbers
   * above are then of the operator's machines as a whole, and otherwise hold for this machine, too.
   */
  readonly here?: Pick<Capacity, 'memoryBytes' | 'cpuMillicores' | 'diskBytes'> | undefined
}

/** A trusted hub's attestation of the service's code. */
export type HubStatement = {
  readonly hub: string
  readonly verdict: 'safe' | 'unsafe'
  readonly issued: number
  readonly expires: number
  /** how bad what it found is; beside `unsafe` only */
  readonly severity?: 'low' | 'medium' | 'high' | 'critical' | undefined
  /** where people read why; text from the network */
  readonly report?: string | undefined
}

/** How far the trusted hubs' attestations go towards QUORUM. */
export type QuorumState = { readonly hubs: number; readonly weight: number; readonly met: boolean }

/** What a trusted hub says the author has frozen. `amount` is decimal text. */
export type FrozenAmount = { readonly hub: string; readonly chain: string; readonly amount: string }

/** A run that is under way here, and what it holds until it ends. */
export type RunningService = Resources & {
  readonly id: string
  readonly author: string
  readonly name: string
  /** what its verdict said it is worth */
  readonly rank: number
  /** the operator's own (SERVICES): never evicted */
  readonly own: boolean
  readonly executor: ExecutorName
}

/**
 * What is true of the node whatever the service. `config` is never changed in place: a new configuration is a new
 * object, and it crosses to the runner's process once.
 */
export type NodeFacts = {
  readonly config: RunnerConfig
  /** the node's own address */
  readonly own: string
  readonly capacity: Capacity
  readonly running: readonly RunningService[]
  /**
   * where the package managers of this machine download from: by kind of package index, by scope of npm like "@team", and
   * for `docker`; REGISTRIES goes before it
   */
  readonly clientRegistries?: Readonly<Partial<Record<RegistryKind | 'docker' | `@${string}`, string>>> | undefined
}

/** What this node knows about one service, beyond what its author wrote. */
export type ServiceFacts = {
  /** the best redirection depth received */
  readonly depth: number
  readonly attestations: readonly HubStatement[]
  /** null = nothing known */
  readonly quorum: QuorumState | null
  /** a chain of delegations from a root reaches the author */
  readonly inTree: boolean
  readonly frozen: readonly FrozenAmount[]
  /** what the rest of its life would pay at its own offer; null = nothing */
  readonly value: { readonly asset: string; readonly amount: string } | null
  /** whole seconds, UTC */
  readonly now: number
}

/** Local knowledge at one moment, as plain JSON. Nothing in it acts, and nothing asks the network. */
export type RunnerSnapshot = NodeFacts & ServiceFacts

/** What a node can say while no statement, freeze or delegation has reached it. */
export const NOTHING_KNOWN = { attestations: [], quorum: null, inTree: false, frozen: [], value: null } as const

/** How a runner writes to the node's log. Text from the service belongs into the fields. */
export type RunnerLog = Readonly<
  Record<'error' | 'warn' | 'info' | 'debug' | 'trace', (message: string, fields?: object) => void>
>

/** What a runner gets beside the service: the snapshot, a log, and a signal that aborts when its time is up. */
export type RunnerContext = RunnerSnapshot & { readonly log: RunnerLog; readonly signal: AbortSignal }

/**
 * A runner module's default export. No return value means drop. A function of one argument (the first form of runners)
 * finds its settings in the global RUNNER_CONFIGS and logs with the global LOG.
 */
export type Runner = (
  service: ReceivedService,
  node: RunnerContext,
) => Verdict | undefined | void | Promise<Verdict | undefined | void>
