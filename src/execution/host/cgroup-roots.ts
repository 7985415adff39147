import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** `cpuacct` counts and limits nothing. Version 2 counts in every group. */
export type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct'
const LIMITING = ['memory', 'pids', 'cpu'] as const
export const CONTROLLERS: readonly Controller[] = [...LIMITING, 'cpuacct']
const PARENT = 'thundercloud'

/** Where cgroups can be made: per controller, the folder that takes them. A controller that is missing is not writable. */
export type CgroupRoots = { readonly version: 1 | 2; readonly roots: Partial<Record<Controller, string>> }

/** Looks for what this process may write: version 2, delegated to it or entirely, else version 1. */
export async function findCgroups(mounts = '/proc/mounts', self = '/proc/self/cgroup'): Promise<CgroupRoots> {
  const lines = (await readFile(mounts, 'utf8').catch(() => '')).split('\n').map((line) => line.split(' '))
  const unified = lines.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified !== undefined) {
    const own = join(unified, /^0::(.*)$/m.exec(await readFile(self, 'utf8').catch(() => ''))?.[1] ?? '/')
    // what lies above the mount is no group: another namespace's processes have names like /../other
    const bases = new Set([unified, own, join(own, '..')].filter((base) => !relative(unified, base).startsWith('..')))
    for (const base of bases) {
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

/** Writes to a file of a group, which the kernel made: there is nothing to make, or to empty. */
export async function setFile(path: string, value: string): Promise<void> {
  await writeFile(path, value, { flag: 'r+' })
}

async function delegated(base: string): Promise<Partial<Record<Controller, string>> | undefined> {
  // a process moves to another group only where this file of the group above both can be written
  if (!(await isWritable(join(base, 'cgroup.procs')))) return undefined
  const parent = join(base, PARENT)
  await enable(base)
  if (!(await makeDir(parent))) return undefined
  await enable(parent)
  const enabled = (await readFile(join(parent, 'cgroup.subtree_control'), 'utf8').catch(() => '')).trim().split(' ')
  const usable = LIMITING.filter((controller) => enabled.includes(controller))
  if (usable.length > 0) return Object.fromEntries(usable.map((controller) => [controller, parent]))
  await rmdir(parent).catch(() => {})
  return undefined
}

/** One at a time: of several in one line the kernel takes none if it lacks one. */
async function enable(group: string): Promise<void> {
  for (const controller of LIMITING)
    await setFile(join(group, 'cgroup.subtree_control'), `+${controller}`).catch(() => {})
}

/** It may be there already, made by another user's node. */
async function makeDir(dir: string): Promise<boolean> {
  try {
    await mkdir(dir, { recursive: true })
  } catch {
    return false
  }
  return isWritable(dir)
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  )
}
