import type { Clock } from '../../base/clock.ts'
import type { Rng } from '../../base/rng.ts'
import type { DockerConfig } from '../docker/types.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Executor } from '../types.ts'

/** What a pool may use, all its runs together. */
export type PoolLimits = { readonly memoryBytes: number; readonly cpuMillicores: number; readonly pids: number }

/**
 * `name`: as CONTAINERS has it, `<group>-<owner address>-<toolchains joined by dots>`. `dataBytes`: what its services keep on
 * the disk, all together; absent: nothing.
 */
export type PoolSpec = PoolLimits & {
  readonly name: string
  readonly image: string
  readonly dataBytes?: number | undefined
}

export type PoolView = PoolSpec & {
  /** the only author with services that run in it */
  readonly owner: string
  readonly toolchains: readonly string[]
  readonly running: boolean
  /** services with a run in it */
  readonly services: readonly string[]
}

/** What services of a pool have on the disk. It stays when they end, and when the pool is removed. */
export type PoolDataView = {
  readonly pool: string
  readonly bytes: number
  readonly usedBytes: number
  /** by name */
  readonly services: readonly string[]
}

/** The containers in which services of one owner run side by side. */
export interface Pools {
  /** Throws an InputError for a name, an image or an engine with which there can be none. */
  create(spec: PoolSpec): Promise<PoolView>
  list(): Promise<PoolView[]>
  /** Throws an InputError where something runs in it, unless `force`. */
  remove(name: string, options?: { force?: boolean }): Promise<void>
  listData(): Promise<PoolDataView[]>
  /**
   * Removes all data of a pool that is no more, or that of one service of which nothing runs. Throws an InputError where it
   * is in use.
   */
  removeData(name: string, options?: { service?: string | undefined }): Promise<void>
}

export type PoolExecutorComponents = { readonly clock: Clock; readonly rng: Rng }

export type PoolExecutorInit = {
  readonly docker: DockerConfig
  /** This node's name among all that share the engine. */
  readonly nodeId: string
  /** Folder of the pools: what their runs keep, and the programs that start them. Survives the node. */
  readonly poolsDir: string
  /** Folder for sockets, private to the node. */
  readonly runtimeDir: string
  /** The folders below which `Plan.codeDir` and `Plan.logDir` are. */
  readonly codeDirs: readonly string[]
  readonly logsDir: string
  readonly logs: LogLimits
  /** Builds what runs here: a pool builds nothing. */
  readonly builder: Executor
}

export type PoolExecutor = Executor & { readonly pools: Pools } & AsyncDisposable
