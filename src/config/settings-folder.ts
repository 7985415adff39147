import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Env } from './env.ts'

/** Where this program keeps what is a person's: in the folder that the system has for settings. */
export function settingsFolder(env: Env, platform: NodeJS.Platform = process.platform): string {
  return join(systemFolder(env, platform, env.HOME || env.USERPROFILE || homedir()), 'thundercloud')
}

function systemFolder(env: Env, platform: NodeJS.Platform, home: string): string {
  // the XDG rule: a relative value is invalid and ignored
  if (env.XDG_CONFIG_HOME?.startsWith('/')) return env.XDG_CONFIG_HOME
  if (platform === 'win32') return env.APPDATA || join(home, 'AppData', 'Roaming')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  return join(home, '.config')
}
