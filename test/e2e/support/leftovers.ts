import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { poolKey } from '../../../src/execution/pool/names.ts'
import { namesIn, processes, textOf } from '../../fixtures/process/proc.ts'

export type Instance = { service: string; what: string; state: string }

/** What an engine has of one node, by its labels. */
export function containersOf(peerId: string): Instance[] {
  const format = '{{.Label "thundercloud.service"}} {{.Label "thundercloud.role"}} {{.State}}'
  const filter = `label=thundercloud.node=${peerId.slice(-16)}`
  return lines('docker', ['ps', '-a', '--filter', filter, '--format', format]).map((line) => {
    const [service = '', what = '', state = ''] = line.split(' ')
    return { service, what, state }
  })
}

/** The container of a pool, whose node may be gone, and what it has mounted. */
export function removePool(name: string): void {
  const found = poolContainers(name)
  if (found.length > 0) lines('docker', ['rm', '-f', ...found])
  const mounts = lines('findmnt', ['-rno', 'TARGET']).filter((path) => path.endsWith(`/${poolKey(name)}/mount`))
  for (const path of mounts) lines('umount', [path])
}

/** Ends every process in a pool at once. */
export function killPool(name: string): void {
  lines('docker', ['kill', '-s', 'KILL', ...poolContainers(name)])
}

function poolContainers(name: string): string[] {
  return lines('docker', ['ps', '-aq', '--filter', `label=thundercloud.pool=${name}`])
}

/** Processes whose command names a path: the node, its runner, its shims. */
export function processesOf(path: string): string[] {
  return lines('ps', ['-eww', '-o', 'args=']).filter((line) => line.includes(path))
}

/**
 * The runs below a path that a shim supervises; one that is there twice is supervised twice. A shim's command names
 * the paths of its own box, so what it sees there is read from its mounts.
 */
export function shimsOf(path: string): string[] {
  return processes().flatMap(({ pid, words: [program = '', ...args] }) => {
    // in a pool the node's own loader begins it; what leads to a shim, like bwrap, names it too
    const isNode =
      program.endsWith('/node') || (program.endsWith('/lib/ld') && args.some((arg) => arg.endsWith('/node')))
    if (!isNode) return []
    if (!args.some((arg) => /\/shim-main\.[jt]s$/.test(arg))) return []
    const seen = [args.join(' '), textOf(`/proc/${pid}/mountinfo`)].join('\n').split(/\s/)
    const run = seen.find((word) => word.startsWith(path) && /\/runs\/[^/]+$/.test(word))
    return run === undefined ? [] : [run.slice(run.lastIndexOf('/') + 1)]
  })
}

/** Control groups of one node, in whatever hierarchies the machine has. */
export function cgroupsOf(peerId: string): string[] {
  const roots = ['/sys/fs/cgroup', ...namesIn('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))]
  return roots.flatMap((root) =>
    lines('find', [root, '-maxdepth', '3', '-type', 'd', '-name', `${peerId.slice(-16)}*`]),
  )
}

function lines(program: string, args: readonly string[]): string[] {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: 45_000, stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  } catch (error) {
    // `find` in folders that come and go, or are not there
    if (program === 'find') return []
    throw error
  }
}
