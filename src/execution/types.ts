import type { ServiceBody } from '../../protocols/service.ts'
import type { BytePipe } from '../base/stream.ts'
import type { ExecutorName, Grant } from '../base/verdict.ts'
import type { Egress, EgressServer, ServeOptions } from '../egress/index.ts'
import type { PlanEgress } from './egress-targets.ts'
import type { PlanOutputs, TaskOutputs } from './outputs.ts'
import type { UserIdRange } from './user-ids.ts'

/** What execution needs to know of a service. JSON: it is journalled with the run. */
export type RunnableService = {
  /** base32 CID */
  readonly id: string
  /** the author's address, base58 */
  readonly author: string
  /** its versions share it; absent in the journals of earlier versions */
  readonly name?: string | undefined
  /** base32 CID of the archive, or of an OCI image's manifest */
  readonly code: string
  /** canonical names: "node.js", "docker", ... */
  readonly toolchain: readonly string[]
  readonly run: ServiceBody['run']
  /** egress that it asks for; absent: none */
  readonly network?: readonly string[] | undefined
  /** whole seconds, UTC */
  readonly expires: number
}

/** A file or folder of the machine, and where a run sees it, read-only. Absolute paths. */
export type ReadOnlyMount = { readonly path: string; readonly as: string }

/** Held by what outlives the node: the shim on the host, the gateway container beside an engine. */
export type PlanLifetime = {
  /** ms from the start, on the monotonic clock */
  readonly afterMs?: number | undefined
  /** ms since 1970, by the wall clock */
  readonly expiresAt?: number | undefined
  /** between asking it to end and ending it, in ms */
  readonly graceMs: number
}

/** One execution, as an executor is to do it. */
export type Plan = {
  readonly runId: string
  readonly service: string
  readonly author: string
  /** A build writes into its code folder; a run cannot. */
  readonly purpose: 'run' | 'build'
  readonly grant: Grant
  /** Of a service: its name, by which an executor finds what the author's versions of it keep. */
  readonly name?: string | undefined
  /** The user that it runs as, its own; absent where the node can give none: see `Executor.userIds`. */
  readonly uid?: number | undefined
  /** Unpacked code, seen as /code. Absent where an image holds it. */
  readonly codeDir?: string | undefined
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** where the command starts, below /code; "" = /code itself */
  readonly workdir: string
  /** loopback ports that the gateway may connect to */
  readonly ports: readonly number[]
  /** The command of `Run.check`: it gets the run's environment, user and limits. */
  readonly check?: readonly string[] | undefined
  readonly toolchain: readonly string[]
  /**
   * An OCI image by the digest of its manifest, "sha256:...". `dir`: where it lies, `manifest` and `blobs/<sha256 in hex>`, all
   * verified; absent where the engine has it.
   */
  readonly image?: { readonly digest: string; readonly dir?: string | undefined } | undefined
  /** The engine's id of an image, in the place of the toolchain's: a build for a pool. */
  readonly imageId?: string | undefined
  /** folder that gets the log files; outlives the run */
  readonly logDir: string
  /** What else of the machine it may read. In a sandbox of the host only; others refuse it. */
  readonly readOnlyMounts?: readonly ReadOnlyMount[] | undefined
  /** Small read-only files that it sees, text by absolute path. An engine that shares no folder with the node leaves them out. */
  readonly files?: Readonly<Record<string, string>> | undefined
  /** Its way out, carried to whoever serves it (`Run.serveEgress`); without it, it has no network. */
  readonly egress?: PlanEgress | undefined
  /** Of a task: what it leaves below /work, which is kept until `remove` for `Run.outputs`. */
  readonly outputs?: PlanOutputs | undefined
  /** When it ends also where no node is there to end it. Absent: a run without a limit. */
  readonly lifetime?: PlanLifetime | undefined
}

export type EndReason = 'exit' | 'memory' | 'timeout' | 'stopped'

export type RunEnd = {
  /** 128 + signal where a signal ended it */
  readonly exitCode: number
  readonly reason: EndReason
  /** one sentence where the numbers do not say it all */
  readonly detail?: string | undefined
  /** the disk of the node itself was full: no fault of the run */
  readonly nodeDiskFull?: true | undefined
  /** ms since 1970; absent where it is not known */
  readonly endedAt?: number | undefined
} & RunTotals

/** What a run has used since its start, counted by what outlives the node; absent where that is not known, or not any more. */
export type RunTotals = {
  /** how long it has run, by a clock that nobody sets */
  readonly runningMs?: number | undefined
  /** the processor time of all its processes, also of those that have ended */
  readonly cpuMs?: number | undefined
  /** through its gateway, seen from the run: by tunnels, checks and its way out */
  readonly receivedBytes?: number | undefined
  readonly sentBytes?: number | undefined
}

/** `diskBytes`: what its own disk holds; absent where it has none of its own. */
export type RunStats = RunTotals & {
  readonly memoryBytes: number
  readonly cpuMs: number
  readonly pids: number
  readonly diskBytes?: number | undefined
}

/** One execution that has begun. Letting go of this object ends nothing: the run goes on and can be adopted. */
export interface Run {
  /** What `remove` needs; JSON. */
  readonly handle: unknown
  /** ms since 1970 */
  readonly startedAt: number
  /** How it began, as one sentence, where sandboxes or containers are kept warm (`Executor.keepWarm`): warm, or why not. */
  readonly start?: string | undefined
  /** Resolves when it has ended and its output is in the log files. Rejects with an UnavailableError when the engine is gone. */
  wait(options?: { signal?: AbortSignal | undefined }): Promise<RunEnd>
  /** Asks it to end (SIGTERM), and makes it end after `graceMs`. `wait` then says `reason`. */
  stop(options: { graceMs: number; reason?: 'stopped' | 'timeout' }): Promise<void>
  stats(options?: { signal?: AbortSignal | undefined }): Promise<RunStats>
  /**
   * Runs the plan's `check` inside the run and answers its exit code. One at a time: throws an UnavailableError beside one
   * that has not ended, and a TimeoutError after `timeoutMs`.
   */
  check?(command: readonly string[], options: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<number>
  /**
   * Does its gateway answer? Makes again what it can of a socket that was taken away. An executor that has no other way
   * to a run than the one by which it waits for it need not have this.
   */
  reachable?(options?: { signal?: AbortSignal | undefined }): Promise<boolean>
  /**
   * Serves the way out of a run whose plan has `egress`, until disposed or until its `ended`; each host is decided by `egress`.
   * The last to serve it does. While nobody does, its connections fail at once.
   */
  serveEgress?(egress: Egress, options: ServeOptions & { signal?: AbortSignal | undefined }): Promise<EgressServer>
  /**
   * Of a run with `Plan.outputs` that has ended with 0, until it is removed: what it left at these paths, the plan's. No link
   * is followed. Absent where the executor keeps nothing.
   */
  outputs?(paths: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<TaskOutputs>
  /** Through the gateway to a declared port. Waits a bounded time for the port to listen, then throws an UnavailableError. */
  connect(port: number, options?: { signal?: AbortSignal | undefined; patienceMs?: number }): Promise<BytePipe>
}

/** `prepared`: it was about to begin and never did; it will not begin any more. */
export type AdoptedRun = {
  readonly runId: string
  readonly service: string
  readonly purpose: Plan['purpose']
  readonly state: 'prepared' | 'running' | 'ended'
  readonly run: Run
}

export type Availability = {
  readonly available: boolean
  /** One sentence: what it is, or what to install. */
  readonly detail: string
  /** Limits of a grant that the kernel does not enforce here in full: "memory: watched", ... */
  readonly unenforcedLimits: readonly string[]
  /** What the operator should do about it, although it works. */
  readonly advice?: string | undefined
  /** Network that it can grant; absent: none. */
  readonly networks?: readonly ('allowlist' | 'open')[] | undefined
  /** It takes services of the node's own address only. */
  readonly ownOnly?: boolean | undefined
  /** Toolchains whose program is installed; absent: it does not say. */
  readonly toolchains?: readonly string[] | undefined
  /** The pools that it has. */
  readonly pools?: readonly PoolCapacity[] | undefined
}

/** A pool, by its name in CONTAINERS, and what all runs in it may use together. */
export type PoolCapacity = {
  readonly name: string
  readonly memoryBytes: number
  readonly cpuMillicores: number
  readonly pids: number
}

/** A grant that sandboxes are kept warm for. */
export type WarmClass = { readonly memoryBytes: number; readonly diskBytes: number; readonly pids: number }

export type WarmStarts = {
  /** sandboxes with a Node.js that waits for its program */
  readonly classes: readonly (WarmClass & { readonly count: number })[]
  /** sandboxes for any grant, in which a run starts its own program */
  readonly gateways: number
  /** what it may all use: memory that no run has been granted */
  freeBytes(): number
}

/** A way to run a service under a grant. Every executor passes test/compliance/executor/kit.ts. */
export interface Executor {
  readonly name: ExecutorName
  /** It takes plans with `outputs`. */
  readonly keepsOutputs?: true
  /** The user ids that a run can have here; undefined: any of the node's range. */
  userIds?(): UserIdRange | undefined
  available(options?: { signal?: AbortSignal | undefined }): Promise<Availability>
  /** Has the operator put this image into its engine, for a service of this author? It need not be fetched. Absent where the executor runs no images. */
  hasImage?(digest: string, author: string): Promise<boolean>
  /**
   * What the output of a build depends on beside its plan: the image, or the programs of this machine. The same text, the
   * same builder. Throws what `start` would throw where there is none.
   */
  builderId(plan: Plan): Promise<string>
  /** May no two versions of the service run at once, since they share what they keep? Absent: they may. */
  isExclusive?(plan: Plan): Promise<boolean>
  /** Where `start` will put this run: known, and journalled, before it is done. */
  handle(plan: Plan): unknown
  /** Throws a RunRefusedError for what can never run here, an UnavailableError for what may run later. */
  start(plan: Plan, options?: { signal?: AbortSignal | undefined }): Promise<Run>
  /**
   * Keeps so much warm from now on. `renew`: throws away what is idle, for the policy is another. A start takes what fits
   * and says so (`Run.start`). Resolves when it is there, as far as it can be, and the rest is gone; never rejects. Absent: each start is cold.
   */
  keepWarm?(wanted: WarmStarts, options?: { renew?: boolean }): Promise<void>
  /** Everything of this node that the executor finds, running or not. */
  adopt(options?: { signal?: AbortSignal | undefined }): Promise<AdoptedRun[]>
  /** Ends it if need be and leaves nothing behind but the log files. Fine when there is nothing. */
  remove(handle: unknown): Promise<void>
}
