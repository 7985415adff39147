import { access, chown, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Grant } from '../../base/verdict.ts'

/** `cpuacct` counts and limits nothing. Version 2 counts in every group. */
export type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct'
const LIMITING = ['memory', 'pids', 'cpu'] as const
const CONTROLLERS: readonly Controller[] = [...LIMITING, 'cpuacct']
const PARENT = 'thundercloud'
/** Groups in a run's own. */
const LIMITED = 'limited'
const SHIM = 'shim'
/** cpu.max and cpu.cfs_quota_us count in this period. */
const CPU_PERIOD_US = 100_000

/** Where cgroups can be made: per controller, the folder that takes them. A controller that is missing is not writable. */
export type CgroupRoots = { readonly version: 1 | 2; readonly roots: Partial<Record<Controller, string>> }

/** What of a grant a control group limits. */
export type CgroupLimits = Partial<Pick<Grant, 'memoryBytes' | 'cpuMillicores' | 'pids'>>

/** The control groups of one run. JSON. */
export type RunCgroup = {
  readonly version: 1 | 2
  readonly dirs: Partial<Record<Controller, string>>
}

/** Looks for what this process may write: version 2, delegated to it or entirely, else version 1. */
export async function findCgroups(mounts = '/proc/mounts', self = '/proc/self/cgroup'): Promise<CgroupRoots> {
  const lines = (await readFile(mounts, 'utf8').catch(() => '')).split('\n').map((line) => line.split(' '))
  const unified = lines.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified !== undefined) {
    const own = /^0::(.*)$/m.exec(await readFile(self, 'utf8').catch(() => ''))?.[1] ?? '/'
    // the group above the root is no group
    const above = own === '/' ? [] : [join(unified, own, '..')]
    for (const base of new Set([unified, join(unified, own), ...above])) {
      const parent = await delegated(base)
      if (parent !== undefined) return { version: 2, roots: parent }
    }
  }
  const roots: Partial<Record<Controller, string>> = {}
  for (const controller of CONTROLLERS) {
    const mount = lines.find(
      ([, , type, options]) => type === 'cgroup' && options?.split(',').includes(controller),
    )?.[1]
    if (mount === undefined) continue
    const parent = join(mount, PARENT)
    if (await makeDir(parent)) roots[controller] = parent
  }
  return { version: 1, roots }
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
      await writeFile(join(above, 'cgroup.subtree_control'), `+${controller}`)
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
    await writeFile(join(dir, file), value).catch((error) => {
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

/** The group with the limits, of the group of a run. */
export function limitedGroup({ version, dirs }: RunCgroup): RunCgroup {
  return { version, dirs: Object.fromEntries(Object.entries(dirs).map(([name, dir]) => [name, join(dir, LIMITED)])) }
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

async function delegated(base: string): Promise<Partial<Record<Controller, string>> | undefined> {
  const parent = join(base, PARENT)
  const enable = LIMITING.map((controller) => `+${controller}`).join(' ')
  await writeFile(join(base, 'cgroup.subtree_control'), enable).catch(() => {})
  if (!(await makeDir(parent))) return undefined
  await writeFile(join(parent, 'cgroup.subtree_control'), enable).catch(() => {})
  const enabled = (await readFile(join(parent, 'cgroup.subtree_control'), 'utf8').catch(() => '')).trim().split(' ')
  const usable = LIMITING.filter((controller) => enabled.includes(controller))
  if (usable.length > 0) return Object.fromEntries(usable.map((controller) => [controller, parent]))
  await rmdir(parent).catch(() => {})
  return undefined
}

/** It may be there already, made by another user's node. */
async function makeDir(dir: string): Promise<boolean> {
  try {
    await mkdir(dir, { recursive: true })
    await access(dir, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function entries(roots: Partial<Record<Controller, string>>): [Controller, string][] {
  return CONTROLLERS.flatMap((controller) => (roots[controller] === undefined ? [] : [[controller, roots[controller]]]))
}
