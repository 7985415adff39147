import { chmodSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { readLine } from './server.ts'

/** In the place of its settings: a gateway that is there before its run. It runs from this folder alone. */
export const IDLE = 'idle'
/** In the folder of its socket: where the node holds it (a path of a socket is short), and what it says then. */
export const CONTROL_FILE = 'c'
export const SETTINGS_FILE = 'settings.json'

/** A node connects at once. */
const FIRST_MS = 60_000

/** The settings of the run that it is for now. Its process ends when the node has gone before. */
export async function waitForSettings(dir: string): Promise<{ text: string; begun(): void }> {
  const node = await firstConnection(join(dir, CONTROL_FILE))
  try {
    node.write('ready\n')
    await readLine(node)
  } catch {
    end()
  }
  return { text: readFileSync(join(dir, SETTINGS_FILE), 'utf8'), begun: () => void node.end('begun\n') }
}

function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

function firstConnection(path: string): Promise<Socket> {
  // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
  const late = setTimeout(end, FIRST_MS)
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      clearTimeout(late)
      server.close()
      socket.on('error', () => {})
      resolve(socket)
    })
    server.listen(path, () => chmodSync(path, 0o666))
  })
}
