import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { UnavailableError } from '../../../base/errors.ts'
import { findProgram, runProcess } from '../../../process/index.ts'

/** A program and a message for each; what a run may have for its environment fits. */
const BYTES = 32 * 2 ** 20
const INODES = 2048
const MOUNT_MS = 10_000

/**
 * Where containers that wait see their code. One file system in memory with two places: what is mounted below `shared` is
 * seen in containers that show a folder of it, and below `own` the node still finds what is under such a mount.
 */
export type WarmFolders = {
  /** Makes both. Throws where this process may not. */
  open(): Promise<void>
  paths(name: string): WarmPaths
  /** The folder gets another name, before anything is mounted there. */
  rename(from: string, to: string): Promise<void>
  /** Takes away the mounts and the folder. Fine when there is nothing. */
  remove(name: string): Promise<void>
  list(): Promise<string[]>
  /** Both go where they are empty. */
  close(): Promise<void>
}

export type WarmPaths = {
  /** what the container shows as /code: until the code is mounted there, what waits */
  readonly shown: string
  /** the same, whatever is mounted there */
  readonly own: string
  /** where the code is mounted first, seen by no container */
  readonly staging: string
  /** the table of mounts */
  readonly table: string
}

export function createWarmFolders(clock: Clock, dir: string): WarmFolders {
  const own = join(dir, 'warm')
  const shared = join(dir, 'warm-code')
  let opened: Promise<void> | undefined

  async function tool(name: 'mount' | 'umount', args: readonly string[]): Promise<void> {
    const program = findProgram(name) ?? `/usr/bin/${name}`
    const { exitCode, stderr } = await runProcess(clock, { kind: 'tool', program, args }, { timeoutMs: MOUNT_MS })
    if (exitCode !== 0) throw new UnavailableError(`${name}: ${stderr.trim().slice(0, 200)}`)
  }

  async function make(): Promise<void> {
    await mkdir(own, { recursive: true, mode: 0o711 })
    await mkdir(shared, { recursive: true, mode: 0o711 })
    const points = await mountPoints()
    if (!points.includes(own)) {
      const limits = `mode=0711,nosuid,nodev,size=${BYTES},nr_inodes=${INODES}`
      await tool('mount', ['-t', 'tmpfs', '-o', limits, 'tmpfs', own])
    }
    await tool('mount', ['--make-private', own])
    if (!points.includes(shared)) await tool('mount', ['--bind', own, shared])
    await tool('mount', ['--make-shared', shared])
  }

  async function unmount(under: string): Promise<void> {
    // each that covers another one is listed after it
    const points = (await mountPoints()).filter((point) => point === under || point.startsWith(`${under}/`))
    for (const point of points.toReversed()) await tool('umount', ['--lazy', point])
  }

  const list = (): Promise<string[]> => readdir(own).catch(() => [])

  return {
    open() {
      opened ??= make()
      opened.catch(() => {
        opened = undefined
      })
      return opened
    },
    paths(name) {
      const at = (...parts: string[]) => join(own, name, ...parts)
      return { shown: join(shared, name, 'code'), own: at('code'), staging: at('staging'), table: at('mounts') }
    },
    rename: (from, to) => rename(join(own, from), join(own, to)),
    async remove(name) {
      if (!(await list()).includes(name)) return
      await unmount(join(shared, name))
      await unmount(join(own, name))
      await rm(join(own, name), { recursive: true, force: true })
    },
    list,
    async close() {
      // also those of an earlier process
      if ((await list()).length > 0) return
      await unmount(shared)
      await unmount(own)
      for (const path of [shared, own]) await rmdir(path).catch(() => {})
      opened = undefined
    },
  }
}

async function mountPoints(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table.split('\n').map((line) => unescaped(line.split(' ')[4] ?? ''))
}

function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
