import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { systemClock } from '../base/clock.ts'
import { errnoOf, InputError, messageOf } from '../base/errors.ts'
import { createConnectionLimits } from './connection-limits.ts'
import {
  CLOSE_GRACE_MS,
  COUNTED_ADDRESSES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_OPERATOR_CONNECTIONS,
  MAX_REQUESTS_PER_ADDRESS,
  REQUESTS_AT_ONCE,
  REQUESTS_PER_SECOND,
  RETRY_AFTER_SECONDS,
} from './constants.ts'
import { PROBLEM_TYPE, problem } from './problem.ts'
import { createRateLimits, type RateLimits } from './rate-limits.ts'
import type { TlsFiles } from './tls-files.ts'
import type { Api, ServedApi } from './types.ts'

/** Serves an API on `host`:`port`, over TLS where there are files for it. Throws an InputError where it cannot listen there. Disposing it ends every connection. */
export async function serveApi(
  api: Api,
  host: string,
  port: number,
  {
    signal,
    rates = defaultRates(),
    tls,
  }: { signal?: AbortSignal | undefined; rates?: RateLimits; tls?: TlsFiles | undefined } = {},
): Promise<ServedApi> {
  signal?.throwIfAborted()
  const shares = createConnectionLimits({
    total: MAX_CONNECTIONS,
    perAddress: MAX_CONNECTIONS_PER_ADDRESS,
    requestsPerAddress: MAX_REQUESTS_PER_ADDRESS,
  })
  const { server, answer, closeAll } = httpServer(api, false, tls)
  const connectionOf = tls === undefined ? ({ socket }: IncomingMessage) => socket : connectionsOf(server)
  server.maxConnections = MAX_CONNECTIONS + MAX_OPERATOR_CONNECTIONS
  server.on('connection', (socket) => shares.add(socket))
  server.on('request', (incoming, outgoing) => {
    const socket = connectionOf(incoming)
    if (api.knows(incoming.headers)) shares.trust(socket)
    else {
      // also on a connection that showed the token before: whoever shares it with strangers is a proxy
      const seconds = rates.take(socket.remoteAddress)
      if (seconds > 0) return refuse(outgoing, TOO_OFTEN, seconds)
    }
    if (!shares.begin(socket)) return refuse(outgoing, TOO_MANY, RETRY_AFTER_SECONDS)
    outgoing.once('close', () => shares.end(socket))
    answer(incoming, outgoing)
  })
  await listen(server, { host, port })
  const real = (server.address() as AddressInfo).port
  return {
    port: real,
    url: `${tls === undefined ? 'http' : 'https'}://${reachable(host)}:${real}`,
    [Symbol.asyncDispose]: closeAll,
  }
}

export type OperatorSocket = AsyncDisposable & {
  readonly path: string
  /** Takes no new connections; those that it has go on. */
  leave(): void
}

/** The right to open the socket makes the operator. It is in a folder of its own: until its mode is set, the folder's mode protects it. */
export async function listenForOperator(api: Api, folder: string): Promise<OperatorSocket> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
  const path = join(folder, 'api.sock')
  const { server, answer, closeAll } = httpServer(api, true)
  server.maxConnections = MAX_OPERATOR_CONNECTIONS
  server.on('request', answer)
  await listen(server, { path })
  await chmod(path, 0o600)
  return {
    path,
    leave: () => void server.close(),
    async [Symbol.asyncDispose]() {
      await closeAll()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Over TLS, a request's socket is not the connection that was counted when it came, before its handshake. */
function connectionsOf(server: Server): (incoming: IncomingMessage) => Socket {
  const open = new Map<string, Socket>()
  const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
  server.on('connection', (socket) => {
    const key = keyOf(socket)
    open.set(key, socket)
    socket.once('close', () => open.get(key) === socket && open.delete(key))
  })
  return ({ socket }) => open.get(keyOf(socket)) ?? socket
}

function httpServer(api: Api, operator: boolean, tls?: TlsFiles) {
  const secure = tls !== undefined
  const listener = getRequestListener((request, bindings) => api.fetch(request, { ...bindings, operator, secure }), {
    // the library would put its own Request and Response in the place of the process's
    overrideGlobalObjects: false,
    errorHandler: () =>
      Response.json(problem(400, 'the request is malformed'), {
        status: 400,
        headers: { 'Content-Type': PROBLEM_TYPE },
      }),
  })
  const timeouts = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 4,
    // bodies have time limits of their own (body.ts): an archive may take longer than any one number
    requestTimeout: 0,
  }
  const server = tls === undefined ? createServer(timeouts) : tlsServer(timeouts, tls)
  let closing = false
  return {
    server,
    answer(incoming: IncomingMessage, outgoing: ServerResponse) {
      // kept alive, it would hold up the end for as long as it is idle
      outgoing.once('close', () => {
        if (closing) incoming.socket.destroySoon()
      })
      void listener(incoming, outgoing)
    },
    async closeAll() {
      closing = true
      api[Symbol.dispose]()
      await close(server)
    },
  }
}

function tlsServer(timeouts: ServerOptions, tls: TlsFiles): Server {
  const server = createTlsServer({ ...timeouts, ...SECURITY, ...tls.pair, handshakeTimeout: HEADERS_TIMEOUT_MS })
  tls.onChange((pair) => server.setSecureContext({ ...SECURITY, ...pair }))
  // it has all that a server of node:http has
  return server as unknown as Server
}

const SECURITY = { minVersion: 'TLSv1.2' } as const

const TOO_MANY = `your address has ${MAX_REQUESTS_PER_ADDRESS} requests in flight without the token, which is all it may have`
const TOO_OFTEN = `your address sends more than ${REQUESTS_PER_SECOND} requests a second without a valid token, which is all it may send`

function defaultRates(): RateLimits {
  const init = { perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_AT_ONCE, addresses: COUNTED_ADDRESSES }
  return createRateLimits({ clock: systemClock() }, init)
}

function refuse(outgoing: ServerResponse, error: string, retryAfterSeconds: number): void {
  outgoing.writeHead(429, {
    'Content-Type': PROBLEM_TYPE,
    'Retry-After': String(retryAfterSeconds),
    Connection: 'close',
  })
  outgoing.end(JSON.stringify(problem(429, error)))
}

function listen(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject('path' in where ? error : explain(error, where.host, where.port)))
    server.listen(where, resolve)
  })
}
function explain(error: Error, host: string, port: number): InputError {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const problems: Record<string, string> = {
    EADDRINUSE: 'is in use by another program; give API in node.json another port',
    EACCES: 'may not be used by this user; give API in node.json a port above 1023',
    EADDRNOTAVAIL: 'is no address of this machine; change API in node.json',
    ENOTFOUND: 'has a host name that cannot be resolved; change API in node.json',
  }
  const problem = problems[errnoOf(error) ?? ''] ?? `cannot be used (${messageOf(error)}); change API in node.json`
  return new InputError(`the API's address ${where} ${problem}`, { cause: error })
}

/** No new connections; idle ones end at once, and those that are answering get a moment. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  using _force = systemClock().after(CLOSE_GRACE_MS, () => server.closeAllConnections())
  await closed
}

/** An address to connect to, for one to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
