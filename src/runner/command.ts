import { existsSync, realpathSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { entryFile, entryFlags } from '../base/child-entry.ts'
import { NOBODY, YOUNG_MB } from './constants.ts'

/** How the runner's process is started: as little as it needs to read its files and to answer. */
export function runnerCommand(init: { dir: string; network: boolean; heapMb: number }): {
  file: string
  args: string[]
} {
  const root = dirname(findPackageJSON(import.meta.url) as string)
  const ours = ['src', 'protocols', 'configs', 'dist', 'package.json']
    .map((name) => join(root, name))
    .filter(existsSync)
  const theirs = [init.dir, realpathSync(init.dir)]
  const readable = [...new Set([...ours, ...theirs])]
  const flags = [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // For the watcher that ends the process with its host; given up before the module runs.
    ...(nodeMajor() >= 26 ? ['--allow-worker'] : []),
    ...(init.network && process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
    // The permission model leaves node:sqlite open, which reads and writes files.
    '--no-experimental-sqlite',
    '--disable-sigusr1',
    '--no-warnings',
    `--max-old-space-size=${init.heapMb}`,
    `--max-semi-space-size=${YOUNG_MB}`,
    ...entryFlags(import.meta.url),
  ]
  return { file: process.execPath, args: [...flags, entryFile(import.meta.url, './child/main')] }
}

/** The user that the module runs as: `nobody` if the node is root, the node's own otherwise. */
export function runnerUser(): { uid: number; gid: number } | null {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : null
}

/** Does this Node keep a process from the network? Before 26 its permission model could not. */
export function confinesNetwork(): boolean {
  return process.allowedNodeEnvironmentFlags.has('--allow-net')
}

function nodeMajor(): number {
  return Number(process.versions.node.split('.')[0])
}
