import type { Duplex } from 'node:stream'
import type { WarmClass } from '../../types.ts'
import type { RunCgroup } from '../cgroups.ts'
import type { SandboxPaths } from '../sandbox-mounts.ts'

/** The program of a run that begins in a Node.js which is there already: what it gets by one message. */
export type ParkedProgram = {
  /** the file and its arguments */
  readonly args: readonly string[]
  /** beside what every run has */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

const PREFIX = 'parked-'

/** What a slot is called until a run has it. `madeAt`: when its pool was made, ms since 1970, for another had the same numbers. */
export function slotId(madeAt: number, number: number): string {
  return `${PREFIX}${Math.floor(madeAt).toString(36)}-${number}`
}

export function isSlot(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** A sandbox that waits for one run. */
export type Slot = {
  /** its folder, its control group and the claim of its user are named so until a run has it */
  readonly id: string
  readonly dir: string
  readonly uid: number
  readonly cgroup: RunCgroup
  /** where its sandbox has what a run needs */
  readonly paths: SandboxPaths
  /** There is a Node.js in it, for a run with this grant; undefined: a gateway, for any. */
  readonly parked: WarmClass | undefined
  /** The service's box is there too, in which a shell waits where no Node.js does. */
  readonly hasBox: boolean
  /** which Node.js that is */
  readonly version: string
  /** The node writes to it to begin the run. When it closes, the shim and everything in the sandbox end. */
  readonly order: Duplex
  /** what its shim says next; rejects when it ends */
  readonly answer: Promise<string>
  /** Mounts what a table says, where the sandbox sees it. Once. */
  mount(table: string): Promise<void>
  /** It is not used: what waits to mount ends. */
  leave(): void
}
