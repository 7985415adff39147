import { join } from 'node:path'
import type { Env } from '../../config/index.ts'
import { settingsFolder } from '../../config/user-folders.ts'

export function contextsFile(env: Env): string {
  return join(settingsFolder(env), 'contexts.json')
}
