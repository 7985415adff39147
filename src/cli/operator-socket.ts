import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { livingOwner } from '../base/os/pid-lock.ts'
import { NODE_FILE } from '../config/constants.ts'
import { type Env, overridesFromEnv } from '../config/env.ts'
import { readJson } from '../config/read.ts'
import { SOCKET_FILE } from './client/endpoint.ts'

/**
 * The socket on which the running node of a folder answers its operator; undefined where none runs, where this user may not
 * open it, or where node.json is too complex to tell. Looked for before settings are checked, which costs more than
 * most questions.
 */
export async function findOperatorSocket(dir: string, env: Env): Promise<string | undefined> {
  try {
    const node = await readJson(join(dir, NODE_FILE), NODE_FILE, '')
    const { DATA = 'data' } = { ...(node as { DATA?: unknown }), ...overridesFromEnv(env) }
    const dataDir = resolve(dir, DATA as string)
    // the path of a dead node may lead to another program's socket by now
    if ((await livingOwner(join(dataDir, 'node.pid'))) === undefined) return undefined
    const path = (await readFile(join(dataDir, SOCKET_FILE), 'utf8')).trim()
    await access(path, constants.W_OK)
    return path
  } catch {
    return undefined
  }
}
