import { chmodSync, existsSync, unwatchFile, watchFile } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { TrafficMeter } from './traffic.ts'

/**
 * The gateway's protocol: one line of JSON, `{"connect":8080}`, answered by `ok` or `no <code>` on a line of its own; after
 * `ok` the connection is the port's, byte for byte, with half-close. It runs inside a run's network, from this folder
 * alone and on any image's Node: it imports nothing else.
 */
const MAX_LINE_BYTES = 1024
const NEWLINE = 10
/** How often it is looked whether the socket is still there. */
const LOST_LOOK_MS = 1000

export type GatewayServerInit = {
  /** where the unix socket is made */
  path: string
  /** the only ports that are connected to */
  ports: readonly number[]
  /** Called at each request. */
  onRequest?: (() => void) | undefined
  /** Requests of other kinds; returns the answer's line, or undefined when it does not know the kind. */
  other?: (request: Record<string, unknown>) => string | undefined | Promise<string | undefined>
  /** Takes over a connection on which the node offers the way out. */
  egress?: ((pipe: Duplex) => void) | undefined
  /** Counts what goes to the ports. */
  meter?: TrafficMeter | undefined
}

/** An open gateway; `close` ends every connection that goes through it. */
export type GatewayServer = { close(): void }

export async function startGatewayServer({
  path,
  ports,
  other,
  onRequest,
  egress,
  meter,
}: GatewayServerInit): Promise<GatewayServer> {
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    onRequest?.()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    serveConnection(socket, { ports, other, egress, meter }).catch(() => socket.destroy())
  }
  let server: Server | undefined = await listen(path, accept)
  let closed = false

  // A cleaner of temporary files, or a person, may take the socket away, and the folder above it. Where the folder is
  // there again, so is the socket.
  const restore = () => {
    if (closed || existsSync(path)) return
    // first: closing removes the file at the path
    server?.close()
    server = undefined
    listen(path, accept).then(
      (made) => {
        if (closed) made.close()
        else server = made
      },
      () => {},
    )
  }
  const watched = [path, dirname(path)]
  for (const file of watched) watchFile(file, { interval: LOST_LOOK_MS, persistent: false }, restore)
  return {
    close() {
      closed = true
      for (const file of watched) unwatchFile(file, restore)
      server?.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function listen(path: string, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, accept)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      // its folder is private to the node: what may enter that may connect, whatever user this runs as
      chmodSync(path, 0o666)
      resolve(server)
    })
  })
}

/** Reads up to and including the first newline, at most so many bytes; what came after it stays in the stream. */
export function readLine(socket: Readable, maxBytes = MAX_LINE_BYTES): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    const settle = (act: () => void) => {
      socket.off('readable', onReadable).off('close', onClose).off('error', onError).off('end', onClose)
      act()
    }
    const onClose = () => settle(() => reject(new Error('the gateway closed')))
    const onError = (error: Error) => settle(() => reject(error))
    const onReadable = () => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
        head = Buffer.concat([head, chunk])
        const end = head.subarray(0, maxBytes + 1).indexOf(NEWLINE)
        if (end >= 0) {
          const rest = head.subarray(end + 1)
          return settle(() => {
            if (rest.byteLength > 0) socket.unshift(rest)
            resolve(head.toString('utf8', 0, end))
          })
        }
        if (head.byteLength > maxBytes) return onError(new Error('the line is too long'))
      }
    }
    socket.on('readable', onReadable).once('close', onClose).once('error', onError).once('end', onClose)
  })
}

/** One connection to the gateway, over any transport. */
export async function serveConnection(
  socket: Duplex,
  { ports, other, egress, meter }: Pick<GatewayServerInit, 'ports' | 'other' | 'egress' | 'meter'>,
): Promise<void> {
  const request: Record<string, unknown> = JSON.parse(await readLine(socket))
  const port = request.connect
  if (request.ping === true) {
    socket.end('ok\n')
    return
  }
  if (request.egress === true && egress !== undefined) {
    socket.write('ok\n')
    egress(socket)
    return
  }
  if (typeof port !== 'number') {
    socket.end(`${(await other?.(request)) ?? 'no EPROTO'}\n`)
    return
  }
  if (!ports.includes(port)) {
    socket.end('no EACCES\n')
    return
  }
  const target = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  meter?.add(target)
  target.once('connect', () => {
    socket.write('ok\n')
    socket.pipe(target)
    target.pipe(socket)
  })
  target.on('error', (error) => {
    if (target.connecting || target.bytesRead + target.bytesWritten === 0) {
      socket.end(`no ${'code' in error ? error.code : 'EIO'}\n`)
    } else socket.destroy()
    target.destroy()
  })
  socket.on('close', () => target.destroy())
  target.on('close', () => {
    if (!target.readableEnded) socket.destroy()
  })
}
