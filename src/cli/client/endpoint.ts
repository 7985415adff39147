import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { livingOwner } from '../../base/os/pid-lock.ts'

/** Beside the journal: where the running node's API really listens, also where it was asked for any free port. */
const ENDPOINT_FILE = 'api.url'
/** Beside it: the path of the socket on which the running node answers its operator without a token. */
export const SOCKET_FILE = 'api.socket'

export function writeEndpoint(dataDir: string, url: string): Promise<AsyncDisposable> {
  return note(join(dataDir, ENDPOINT_FILE), url)
}

export function writeSocketPath(dataDir: string, path: string): Promise<AsyncDisposable> {
  return note(join(dataDir, SOCKET_FILE), path)
}

/** A killed node leaves its notes behind; the next one of the folder must not seem to listen there. */
export async function removeStaleEndpoints(dataDir: string): Promise<void> {
  if ((await livingOwner(join(dataDir, 'node.pid'))) !== undefined) return
  for (const name of [ENDPOINT_FILE, SOCKET_FILE]) await rm(join(dataDir, name), { force: true })
}

async function note(path: string, text: string): Promise<AsyncDisposable> {
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${text}\n`, { mode: 0o600 })
  await rename(draft, path)
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Undefined where no node wrote one. After a crash it may name an address that answers no longer. */
export async function readEndpoint(dataDir: string): Promise<string | undefined> {
  const url = (await readFile(join(dataDir, ENDPOINT_FILE), 'utf8').catch(() => '')).trim()
  return URL.canParse(url) ? url : undefined
}
