import type { ThundercloudNode } from '../../node/index.ts'
import type { Crash } from '../machine/crash-points.ts'
import type { Machine, MachineProcess } from '../machine/machine.ts'
import type { Platform } from '../machine/platform.ts'

/** A node of a scenario on its machine, through all that happens to it. */
export interface HostedNode extends AsyncDisposable {
  /** How many crash points its processes have passed. */
  readonly crashPoints: number
  /** The node that is up now. */
  readonly up: ThundercloudNode | undefined
  /** Starts it where it is down. Resolves when it is up, or was killed meanwhile. */
  start(): Promise<void>
  /** Takes it down as its operator would. Resolves when it is down; false where it was before. */
  leave(): Promise<boolean>
  /** Kills it; false where it was down. Its machine keeps what it had written. */
  crash(): boolean
}

type HostedNodeInit = {
  /** `count`: starts before this one */
  readonly startNode: (platform: Platform, count: number) => Promise<ThundercloudNode>
  /** It is up. What it does once it is killed did not happen. */
  readonly onUp: (node: ThundercloudNode, isKilled: () => boolean) => void
  /** Its process ended at a crash point. */
  readonly onCrash: (crash: Crash) => void
}

type Present = {
  readonly process: MachineProcess
  readonly node: Promise<ThundercloudNode>
  up?: ThundercloudNode
  killed: boolean
}

export function hostNode(machine: Machine, { startNode, onUp, onCrash }: HostedNodeInit): HostedNode {
  let present: Present | undefined
  let closing: Promise<unknown> = Promise.resolve()
  let starts = 0

  function take(): Present | undefined {
    const taken = present
    present = undefined
    return taken
  }

  const hosted: HostedNode = {
    get crashPoints() {
      return machine.crashPoints
    },
    get up() {
      return present?.up
    },
    async start() {
      // one process at a time has the journal
      await closing
      if (present !== undefined) return
      const process = machine.begin((crash) => {
        if (present === mine) hosted.crash()
        // it was about to leave
        mine.killed = true
        onCrash(crash)
      })
      // it passes crash points as soon as it starts
      const node = Promise.resolve().then(() => startNode(process.platform, starts++))
      const mine: Present = { process, node, killed: false }
      present = mine
      const up = await mine.node.catch((error: unknown) => {
        // killed while it started
        if (mine.killed) return undefined
        throw error
      })
      if (up === undefined || mine.killed) return
      mine.up = up
      onUp(up, () => mine.killed)
    },
    async leave() {
      const taken = take()
      if (taken === undefined) return false
      const closed = taken.node.then((node) => node[Symbol.asyncDispose]())
      closing = closed.catch(() => {})
      await closed.catch((error: unknown) => {
        if (!taken.killed) throw error
      })
      return !taken.killed
    },
    crash() {
      const taken = take()
      if (taken === undefined) return false
      taken.killed = true
      taken.process.crash()
      // behind the fence it does no harm, but its timers would fire to the end of the simulation
      taken.node.then((node) => node[Symbol.asyncDispose]()).catch(() => {})
      return true
    },
    async [Symbol.asyncDispose]() {
      await hosted.leave()
      await closing
      machine[Symbol.dispose]()
    },
  }
  return hosted
}
