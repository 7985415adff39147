import type { Agent } from 'node:http'
import type Docker from 'dockerode'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Executor, Plan } from '../types.ts'
import type { UserIds } from '../user-ids.ts'

/** Disposing it closes its connections; runs go on. */
export type DockerExecutor = Executor & Required<Pick<Executor, 'hasImage'>> & AsyncDisposable

export type DockerExecutorComponents = {
  readonly clock: Clock
  readonly log: Log
  /** Where runs have users of their own. Without it, no program is kept warm. */
  readonly userIds?: UserIds | undefined
}

/** How the engine is reached: DOCKER_CONFIGS, with the PEM texts in place of their files. Empty: the local socket. */
export type DockerConfig = {
  readonly socketPath?: string | undefined
  readonly protocol?: 'http' | 'https' | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** what said so, where it was not DOCKER_CONFIGS: "DOCKER_HOST", ... */
  readonly from?: string | undefined
  /** container runtime to ask for: runsc, kata, ... */
  readonly runtime?: string | undefined
  /** Connections that are made by somebody else, to an engine that shares no folder with the node. In the place of all above. */
  readonly through?: EngineAccess | undefined
}

export type EngineAccess = {
  readonly agent: Agent
  /** the engine, for a person */
  readonly name: string
  /** the control group that all containers are made in; absent: the engine's own */
  readonly cgroupParent?: string | undefined
}

export type DockerExecutorInit = {
  readonly docker: DockerConfig
  /** This node's name among all that share the engine: containers carry it, and only those are touched. */
  readonly nodeId: string
  /** Folder for the gateways' sockets, at most MAX_RUNTIME_DIR_BYTES long; private to the node. */
  readonly runtimeDir: string
  /** Toolchain -> image, by canonical name: `{ 'node.js': { image: 'thundercloud/node' } }`. */
  readonly toolchains: Readonly<Record<string, { readonly image: string }>>
  /** The node's own address: its services alone may use images that the operator has put into the engine. */
  readonly ownAddress: string
  /** Origins of image registries that may be pulled from for a service of this author (REGISTRIES.DOCKER), in order. */
  readonly registries: (author: string) => readonly string[]
  /** An image of this machine's own Node that the engine has. Absent: it is made there. */
  readonly nodeImage?: string | undefined
  readonly logs: LogLimits
  /** What the names of the images that it loads begin with; absent: as with every node. */
  readonly imageRepository?: string | undefined
  /** Looks at what the engine has made of a plan, before anything of the plan's is started. What it throws ends the start. */
  readonly beforeStart?: ((made: MadeRun) => void) | undefined
}

/** A run that is not started, and its gateway, as the engine has them. */
export type MadeRun = {
  readonly plan: Plan
  /** the names of the two */
  readonly handle: { readonly name: string; readonly gateway: string }
  readonly run: Docker.ContainerInspectInfo
  readonly gateway: Docker.ContainerInspectInfo
}

/** A file system that goes with the gateway: of a build its code, of a task that leaves something its folder. */
export type GatewayDisk = {
  readonly driver: Readonly<Record<string, string>>
  readonly at: '/code' | '/work'
}
