import { chown, mkdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Grant } from '../../base/verdict.ts'
import { type CgroupRoots, CONTROLLERS, type Controller, setFile } from './cgroup-roots.ts'

/** Groups in a run's own. */
const LIMITED = 'limited'
const SHIM = 'shim'
/** cpu.max and cpu.cfs_quota_us count in this period. */
const CPU_PERIOD_US = 100_000

/** What of a grant a control group limits. */
export type CgroupLimits = Partial<Pick<Grant, 'memoryBytes' | 'cpuMillicores' | 'pids'>>

/** The control groups of one run. JSON. */
export type RunCgroup = {
  readonly version: 1 | 2
  readonly dirs: Partial<Record<Controller, string>>
}

/**
 * `owner`: the user that may put its own processes into the group, and do nothing else with it. On version 2 that takes a
 * group above, which holds the limited one and one for the shim: only within a group of its own may a user move processes.
 */
export async function createCgroup(
  { version, roots }: CgroupRoots,
  name: string,
  limits: CgroupLimits,
  owner?: number,
): Promise<RunCgroup & { readonly shim: readonly string[] }> {
  const dirs: Partial<Record<Controller, string>> = {}
  const nested = version === 2 && owner !== undefined
  const make = async ([controller, root]: [Controller, string]) => {
    const above = join(root, name)
    const dir = nested ? join(above, LIMITED) : above
    await mkdir(above, { recursive: true })
    if (nested) {
      await setFile(join(above, 'cgroup.subtree_control'), `+${controller}`)
      await mkdir(join(above, SHIM), { recursive: true })
      await chown(join(above, 'cgroup.procs'), owner, owner)
    }
    await mkdir(dir, { recursive: true })
    if (owner !== undefined) await chown(join(dir, 'cgroup.procs'), owner, owner)
    dirs[controller] = dir
    await limitController(version, controller, dir, limits)
  }
  // each controller of version 1 has its own hierarchy; version 2 has one for all
  if (version === 1) await Promise.all(entries(roots).map(make))
  else for (const entry of entries(roots)) await make(entry)
  const shims = nested ? entries(roots).map(([, root]) => join(root, name, SHIM, 'cgroup.procs')) : []
  return { version, dirs, shim: [...new Set(shims)] }
}

/** Sets limits of a group that is there; those that it names. */
export async function limitCgroup({ version, dirs }: RunCgroup, limits: CgroupLimits): Promise<void> {
  await Promise.all(entries(dirs).map(([controller, dir]) => limitController(version, controller, dir, limits)))
}

async function limitController(version: 1 | 2, controller: Controller, dir: string, limits: CgroupLimits) {
  // in this order: the kernel refuses a limit with swap below that without
  for (const [file, value, optional] of limitsOf(version, controller, limits)) {
    await setFile(join(dir, file), value).catch((error) => {
      if (!optional) throw error
    })
  }
}

/** Files that a process writes "0" to in order to be in the group, with all that it starts from then on. */
export function joinFiles({ dirs }: RunCgroup): string[] {
  return [...new Set(Object.values(dirs))].map((dir) => join(dir, 'cgroup.procs'))
}

/** How many processes the kernel has killed because memory ran out. */
export async function oomKills({ version, dirs }: RunCgroup): Promise<number> {
  if (dirs.memory === undefined) return 0
  const file = join(dirs.memory, version === 2 ? 'memory.events' : 'memory.oom_control')
  return Number(/^oom_kill (\d+)$/m.exec(await readFile(file, 'utf8').catch(() => ''))?.[1] ?? 0)
}

/** Processor time of all that ever was in the group, ms; undefined where nobody counts it. */
async function cpuMsOf({ version, dirs }: RunCgroup): Promise<number | undefined> {
  const read = (dir: string, file: string) => readFile(join(dir, file), 'utf8').catch(() => '')
  if (version === 1) {
    const text = dirs.cpuacct === undefined ? '' : await read(dirs.cpuacct, 'cpuacct.usage')
    return text === '' ? undefined : Number(text) / 1e6
  }
  const [dir] = Object.values(dirs)
  const usec = dir === undefined ? undefined : /^usage_usec (\d+)$/m.exec(await read(dir, 'cpu.stat'))?.[1]
  return usec === undefined ? undefined : Number(usec) / 1000
}

export async function cgroupStats(cgroup: RunCgroup) {
  const { version, dirs } = cgroup
  const number = async (dir: string | undefined, file: string) =>
    dir === undefined ? 0 : Number((await readFile(join(dir, file), 'utf8').catch(() => '0')).trim()) || 0
  return {
    memoryBytes: await number(dirs.memory, version === 2 ? 'memory.current' : 'memory.usage_in_bytes'),
    pids: await number(dirs.pids, 'pids.current'),
    cpuMs: await cpuMsOf(cgroup),
  }
}

/**
 * Sends SIGKILL to every process of a run's groups. Version 2 kills them at once where the kernel can (5.14); else those that
 * are there now, and a fork may be missed: again, until the groups are gone.
 */
export async function killCgroup({ dirs }: RunCgroup): Promise<void> {
  await Promise.all([...new Set(Object.values(dirs))].map(killGroup))
}

async function killGroup(dir: string): Promise<void> {
  const killed = await setFile(join(dir, 'cgroup.kill'), '1').then(
    () => true,
    () => false,
  )
  if (killed) return
  for (const group of [dir, join(dir, LIMITED), join(dir, SHIM)]) {
    const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')
    // version 2 lists as 0 what this process cannot see, and 0 would be the node's own process group
    for (const pid of text.split('\n').map(Number)) if (pid > 0) kill(pid)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended, and the group empties itself
  }
}

/** Fine when it is gone; busy while the last process is still on its way out. */
export async function removeCgroup({ dirs }: RunCgroup): Promise<boolean> {
  const gone = await Promise.all([...new Set(Object.values(dirs))].map(removeGroup))
  return gone.every(Boolean)
}

/** With the groups in it, if it has any. */
async function removeGroup(dir: string): Promise<boolean> {
  for (const below of [LIMITED, SHIM]) await rmdir(join(dir, below)).catch(() => {})
  return rmdir(dir).then(
    () => true,
    (error) => error.code === 'ENOENT',
  )
}

function limitsOf(
  version: 1 | 2,
  controller: Controller,
  { memoryBytes, cpuMillicores, pids }: CgroupLimits,
): [file: string, value: string, optional?: true][] {
  if (controller === 'pids') return pids === undefined ? [] : [['pids.max', `${pids}`]]
  if (controller === 'cpu') {
    if (cpuMillicores === undefined) return []
    const quota = Math.max(1000, Math.round((cpuMillicores * CPU_PERIOD_US) / 1000))
    if (version === 2) return [['cpu.max', `${quota} ${CPU_PERIOD_US}`]]
    return [
      ['cpu.cfs_period_us', `${CPU_PERIOD_US}`],
      ['cpu.cfs_quota_us', `${quota}`],
    ]
  }
  if (controller === 'cpuacct' || memoryBytes === undefined) return []
  if (version === 2) {
    return [
      ['memory.max', `${memoryBytes}`],
      ['memory.swap.max', '0', true],
      ['memory.oom.group', '1', true],
    ]
  }
  return [
    ['memory.limit_in_bytes', `${memoryBytes}`],
    ['memory.memsw.limit_in_bytes', `${memoryBytes}`, true],
    ['memory.swappiness', '0', true],
  ]
}

function entries(roots: Partial<Record<Controller, string>>): [Controller, string][] {
  return CONTROLLERS.flatMap((controller) => (roots[controller] === undefined ? [] : [[controller, roots[controller]]]))
}
