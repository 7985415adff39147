import type { Duplex } from 'node:stream'
import type { WarmInstance } from '../../warm/types.ts'
import type { RunCgroup } from '../cgroups.ts'
import type { SandboxPaths } from '../sandbox-mounts.ts'

/** A sandbox that waits for one run. Its folder, its control group and the claim of its user are named by its `id` until a run has it. */
export type WarmSandbox = WarmInstance & {
  readonly dir: string
  readonly uid: number
  readonly cgroup: RunCgroup
  /** where its sandbox has what a run needs */
  readonly paths: SandboxPaths
  /** The service's sandbox is there too, in which a shell waits where no Node.js does. */
  readonly hasServiceSandbox: boolean
  /** The node writes to it to begin the run. When it closes, the shim and everything in the sandbox end. */
  readonly order: Duplex
  /** Mounts what a table says, where the sandbox sees it. Once. */
  mount(table: string): Promise<void>
}
