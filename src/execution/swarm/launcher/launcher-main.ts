import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { createMux } from '../../gateway/mux.ts'
import { ENGINE_SOCKET } from './engine-client.ts'
import { createLeftovers, ownerOf } from './leftovers.ts'
import { KEY_FILE, LAUNCHER_PORT, type LauncherSettings, SILENCE_MS, TLS_OPTIONS } from './settings.ts'

/**
 * The launcher: a task of the swarm that stands for one run on the machine where it was placed. It carries the node's
 * connections to that machine's engine, over which the node makes the run; it starts nothing itself. When it starts, it
 * removes what killed launchers left on this machine. On SIGTERM it removes everything that belongs to its run.
 * Arguments: the settings as JSON. Environment: THUNDERCLOUD_TASK, the id of its task.
 */
const { mode } = JSON.parse(process.argv[2] ?? '{}') as LauncherSettings
const task = process.env.THUNDERCLOUD_TASK ?? ''
const leftovers = createLeftovers()
/** One node speaks with it; one that lost its connection makes another before the first is noticed to be gone. */
const MAX_CONNECTIONS = 8
const HANDSHAKE_MS = 10_000

const sockets = new Set<TLSSocket>()
const server = createServer(
  {
    ...TLS_OPTIONS,
    handshakeTimeout: HANDSHAKE_MS,
    // of another task of the same service, which the swarm has put in its place, the node expects nothing
    pskCallback: (_socket, identity) => (identity === task ? key : null),
  },
  carry,
)
let key: Buffer | null = null
let ending = false

process.once('SIGTERM', () => {
  ending = true
  server.close()
  for (const socket of sockets) socket.destroy()
  leftovers.removeOwned(ownerOf(task)).catch(fail)
})

// before anyone can make something here; what cannot be removed now is left to the next
await leftovers.sweep().catch((error: unknown) => (mode === 'sweep' ? fail(error) : report(error)))
if (mode === 'run' && !ending) serve()

function serve(): void {
  key = readFileSync(KEY_FILE)
  server.maxConnections = MAX_CONNECTIONS
  server.on('tlsClientError', () => {})
  server.on('error', fail)
  server.listen(LAUNCHER_PORT)
}

/** Each of the node's connections to the engine is one stream of a mux. */
function carry(socket: TLSSocket): void {
  const mux = createMux({
    first: 2,
    write: (bytes, done) => void socket.write(bytes, done),
    onStream(stream) {
      const engine = connect({ path: ENGINE_SOCKET, allowHalfOpen: true })
      engine.on('error', () => stream.destroy())
      stream.on('error', () => engine.destroy())
      stream.on('close', () => engine.destroy())
      engine.on('close', () => {
        if (!engine.readableEnded) stream.destroy()
      })
      stream.pipe(engine)
      engine.pipe(stream)
    },
  })
  sockets.add(socket)
  socket.setTimeout(SILENCE_MS, () => socket.destroy())
  socket.on('error', () => {})
  socket.on('close', () => {
    sockets.delete(socket)
    mux.close(new Error('the connection of the node was lost'))
  })
  socket.on('data', (bytes: Buffer) => {
    try {
      mux.take(bytes)
    } catch {
      socket.destroy()
    }
  })
}

function report(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
}

/** The last line of its log is what the swarm's operator finds. */
function fail(error: unknown): void {
  report(error)
  process.exitCode = 1
}
