import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { EgressSpec } from '../gateway/egress.ts'
import type { LogLimits } from '../logs/writer.ts'
import type { Plan, PlanLifetime, RunEnd } from '../types.ts'
import type { RunCgroup } from './cgroups.ts'
import type { WatchedDisk } from './disk-limit.ts'
import type { OutputFolders } from './outputs/shim-outputs.ts'

/** What a shim is started with, and what an adopter learns about a run that it did not start. JSON. */
export type ShimSpec = {
  readonly runId: string
  readonly service: string
  readonly purpose: Plan['purpose']
  /** absent: as `purpose` says */
  readonly kind?: 'scanner' | undefined
  readonly socket: string
  readonly ports: readonly number[]
  /** there are checks to ask for, on CHECK_FD */
  readonly checks?: boolean | undefined
  /** where the shim makes the socket, from the run's folder; absent: at `socket` itself */
  readonly listen?: string | undefined
  /** what its gateway listens at, which leads to the node */
  readonly egress?: EgressSpec | undefined
  /** of a build: its code is copied to the folder that is bounded, and back when it succeeded */
  readonly build?: BuildFolders | undefined
  /** of a task: what it leaves, and where that is */
  readonly outputs?: OutputFolders | undefined
  /** the file system of its own that it may write to */
  readonly disk?: string | undefined
  /** folders that the kernel does not bound */
  readonly watchDisk?: WatchedDisk | undefined
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** `command` is bubblewrap, which reports on fd 3 the first process in the sandbox */
  readonly sandboxed: boolean
  /** bytes; null where a control group limits it */
  readonly watchMemory: number | null
  readonly cgroup: RunCgroup
  readonly logDir: string
  readonly logLimits: LogLimits
  /** it ends then, whether or not a node waits for it */
  readonly lifetime?: PlanLifetime | undefined
  /** for what waits in the service's sandbox of a warm sandbox; without it, `command` makes a sandbox */
  readonly message?: string | undefined
  /** the warm sandbox that it has: its control group is still named so */
  readonly warmId?: string | undefined
  /** how it began: see `Run.start` */
  readonly start?: string | undefined
  /** as earlier versions wrote it */
  readonly endsAfterMs?: number | undefined
}

export type BuildFolders = {
  readonly source: string
  /** the file system that holds `code` and `scratch`, and nothing else */
  readonly disk: string
  readonly code: string
  /** its home and its temporary folder */
  readonly scratch: readonly string[]
  readonly bytes: number
  readonly inodes: number
}

/** Which process a shim is: its pid is in the status file, because inside its namespace it is 1. */
export type ShimIdentity = { readonly startTicks: string; readonly bootId: string; readonly startedAt: number }

/**
 * The files of one run. The first to rename `plan` decides: the shim to `taken` (the command will run), an adopter
 * to `void` (it never will).
 */
export function runFiles(dir: string) {
  const file = (name: string) => join(dir, name)
  return {
    dir,
    plan: file('plan.json'),
    taken: file('taken.json'),
    void: file('void.json'),
    identity: file('keeper.json'),
    /** what bubblewrap reports of the shim: one JSON object a line */
    status: file('status'),
    /** the one process of a run without a sandbox */
    child: file('child.json'),
    end: file('end.json'),
    /** errors of bubblewrap and the shim */
    stderr: file('keeper.log'),
    /** the system calls that the sandbox allows; absent where there is no filter for the processor */
    filter: file('filter.bpf'),
    etc: file('etc'),
    /** read-only files of the plan */
    given: file('given'),
    work: file('work'),
    /** what a task left */
    outputs: file('outputs'),
    /** `socket` of the plan is a link to it: a path may be longer than a socket's */
    listen: file('s'),
    sandboxRoot: file('box'),
    /** the command of a sandbox that waits for its run */
    idle: file('idle.json'),
    /** what is mounted in the sandbox */
    table: file('mounts'),
    /** the disk of a build */
    image: file('disk.img'),
  }
}

export type RunFiles = ReturnType<typeof runFiles>

/** Complete or not at all. `durable`: on the disk; what a machine that went down makes void anyway need not be. */
export async function writeJson(path: string, value: unknown, { durable = true } = {}): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(value))
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** Undefined when there is none, or only a part of one. Only files that this node wrote are read so. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

export function readEnd(files: RunFiles): Promise<RunEnd | undefined> {
  return readJson<RunEnd>(files.end)
}

/** The first process that bubblewrap started, in the asker's own numbering. */
export function childPidOf(status: string): number | undefined {
  const match = /"child-pid": *(\d+)/.exec(status)
  return match === null ? undefined : Number(match[1])
}
