import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from './env.ts'

/** What the system calls the folders of a person: the variable of XDG, and the places of Windows, macOS and other systems. */
type UserFolder = {
  readonly xdg: 'XDG_CONFIG_HOME' | 'XDG_CACHE_HOME'
  readonly windows: readonly [variable: 'APPDATA' | 'LOCALAPPDATA', path: string]
  readonly mac: string
  readonly other: string
}

const SETTINGS: UserFolder = {
  xdg: 'XDG_CONFIG_HOME',
  windows: ['APPDATA', 'AppData/Roaming'],
  mac: 'Library/Application Support',
  other: '.config',
}
const CACHE: UserFolder = {
  xdg: 'XDG_CACHE_HOME',
  windows: ['LOCALAPPDATA', 'AppData/Local'],
  mac: 'Library/Caches',
  other: '.cache',
}

/** Where this program keeps what is a person's: in the folder that the system has for settings. */
export function settingsFolder(env: Env, platform?: NodeJS.Platform): string {
  return folderOf(SETTINGS, env, platform)
}

/** Where this program keeps what may be deleted at any time. */
export function cacheFolder(env: Env, platform?: NodeJS.Platform): string {
  return folderOf(CACHE, env, platform)
}

export function homeFolder(env: Env): string {
  return env.HOME || env.USERPROFILE || homedir()
}

function folderOf({ xdg, windows, mac, other }: UserFolder, env: Env, platform = process.platform): string {
  const own = env[xdg]
  // the XDG rule: a relative value is invalid and ignored
  if (own?.startsWith('/')) return join(own, 'thundercloud')
  const [variable, path] = windows
  const place = platform === 'win32' ? path : platform === 'darwin' ? mac : other
  const system = platform === 'win32' && env[variable] ? env[variable] : join(homeFolder(env), place)
  return join(system, 'thundercloud')
}
