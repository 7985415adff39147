import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { errnoOf, messageOf, systemMessageOf, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { BytePipe } from '../../base/stream.ts'
import { MAX_TUNNEL_CONNECTIONS } from '../constants.ts'

/** A listener on this machine alone, each of whose connections leads to a port of a service. */
export type TunnelListener = Disposable & {
  readonly address: string
  readonly port: number
  readonly connections: number
  /** why the newest connection failed */
  readonly problem: string | undefined
}

/**
 * `address` is of 127.0.0.0/8. It is not the dashboard's own host: browsers send the cookies of a host to all of its ports, so the
 * service would get the session. Throws an UnavailableError where it cannot listen.
 */
export async function listenForTunnel(
  address: string,
  open: (signal: AbortSignal) => Promise<BytePipe>,
): Promise<TunnelListener> {
  const carried = new Map<Socket, AbortController>()
  let closed = false
  let problem: string | undefined
  const server = createServer({ allowHalfOpen: true })
  server.maxConnections = MAX_TUNNEL_CONNECTIONS
  server.on('connection', (socket) => {
    const over = new AbortController()
    carried.set(socket, over)
    socket.on('error', () => {})
    socket.once('close', () => {
      carried.delete(socket)
      over.abort(new UnavailableError('the connection is over'))
    })
    carry(socket, open, over.signal).then(
      () => {
        problem = undefined
      },
      (error: unknown) => {
        socket.destroy()
        if (!isGoodbye(error) && !over.signal.aborted && !closed) problem = sanitizeText(messageOf(error), 300)
      },
    )
  })
  const port = await listen(server, address)
  return {
    address,
    port,
    get connections() {
      return carried.size
    },
    get problem() {
      return problem
    },
    [Symbol.dispose]() {
      closed = true
      server.close()
      for (const socket of carried.keys()) socket.destroy()
    },
  }
}

async function carry(socket: Socket, open: (signal: AbortSignal) => Promise<BytePipe>, signal: AbortSignal) {
  const pipe = await open(signal)
  try {
    await Promise.all([pipeline(socket, pipe, { signal }), pipeline(pipe, socket, { signal })])
  } finally {
    pipe.destroy()
  }
}

/** A program that disconnects is not a failure. */
function isGoodbye(error: unknown): boolean {
  const code = errnoOf(error) ?? ''
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ABORT_ERR'].includes(code)
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why = `no port can be opened at ${host} (${systemMessageOf(error)})`
      const advice = 'use `thundercloud connect` on this machine instead'
      reject(new UnavailableError(`${why}; ${advice}`, { cause: error }))
    })
    server.listen({ host, port: 0 }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
