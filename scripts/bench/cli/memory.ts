import { readdir, readFile } from 'node:fs/promises'

export type ProcessMemory = { readonly pid: number; readonly command: string; readonly pssMiB: number }

/** Proportional set sizes of a process and everything below it. */
export async function treeMemory(root: number): Promise<ProcessMemory[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : ''
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid) as number))
  const below = [...parents.keys()].filter(isBelow)
  return await Promise.all(
    below.map(async (pid) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const kib = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0)
      return { pid, command: command.split('\0').slice(0, 4).join(' ').slice(-80), pssMiB: Math.round(kib / 1024) }
    }),
  )
}
