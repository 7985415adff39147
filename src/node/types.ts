import type { KeyCache } from '../../protocols/signature.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { Configuration, HubSettings, Identity } from '../config/index.ts'
import type { Defence } from '../network/index.ts'
import type { RunnerHost } from '../runner/index.ts'
import type { Machine } from './machine.ts'

export type NodeComponents = {
  clock: Clock
  rng: Rng
  log: Log
  /** Several nodes in one process may share these; a node makes its own where they are missing. */
  runnerHost?: RunnerHost | undefined
  keys?: KeyCache | undefined
  /** What the machine has; by default the kernel is asked. */
  machine?: Machine | undefined
}

export type NodeInit = {
  configuration: Configuration
  identity: Identity
  /** the package's version, for people */
  version: string
  /** Reads the operator's folder again; throws an InputError, and then nothing changes. */
  reread?: (() => Promise<Configuration>) | undefined
  /** Ends the runs when the node is closed; by default they go on and the next start adopts them. */
  stopRunsOnClose?: boolean | undefined
  /** false: nothing is provided to or found in a DHT; for meshes with an exact shape. */
  dht?: boolean | undefined
  /** It is a hub, too: it examines the code of what it hears of, and signs what its scanners say. */
  hub?: HubSettings | undefined
  /** Bounds of the network that a test switches off, to see that they are what holds. */
  without?: readonly Defence[] | undefined
}
