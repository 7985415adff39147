import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

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

/** Processes whose command names a path: the node, its runner, its keepers. */
export function processesOf(path: string): string[] {
  return lines('ps', ['-eww', '-o', 'args=']).filter((line) => line.includes(path))
}

/** The folders of runs that a keeper process looks after; one that is there twice is looked after twice. */
export function keepersOf(path: string): string[] {
  return processesOf(path)
    .filter((line) => line.startsWith(process.execPath) && /\/keeper\.[jt]s /.test(line))
    .map((line) => line.slice(line.lastIndexOf('/') + 1))
}

/** Control groups of one node, in whatever hierarchies the machine has. */
export function cgroupsOf(peerId: string): string[] {
  const roots = ['/sys/fs/cgroup', ...names('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))]
  return roots.flatMap((root) =>
    lines('find', [root, '-maxdepth', '3', '-type', 'd', '-name', `${peerId.slice(-16)}*`]),
  )
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

function lines(program: string, args: readonly string[]): string[] {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  } catch (error) {
    // `find` in folders that come and go, or are not there
    if (program === 'find') return []
    throw error
  }
}
