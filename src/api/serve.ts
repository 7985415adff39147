import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { systemClock } from '../base/clock.ts'
import { codeOf, InputError, messageOf } from '../base/errors.ts'
import { CLOSE_GRACE_MS, HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_CONNECTIONS } from './constants.ts'
import type { Api, ServedApi } from './index.ts'

export async function listenHttp(
  api: Api,
  host: string,
  port: number,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<ServedApi> {
  signal?.throwIfAborted()
  const listener = getRequestListener((request, bindings) => api.fetch(request, bindings), {
    // the library would put its own Request and Response in the place of the process's
    overrideGlobalObjects: false,
    errorHandler: () => Response.json({ error: 'the request is malformed' }, { status: 400 }),
  })
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 4,
    // bodies have time limits of their own (body.ts): an archive may take longer than any one number
    requestTimeout: 0,
  })
  server.maxConnections = MAX_CONNECTIONS
  let closing = false
  server.on('request', (incoming, outgoing) => {
    // kept alive, it would hold up the end for as long as it is idle
    outgoing.once('close', () => {
      if (closing) incoming.socket.destroySoon()
    })
    void listener(incoming, outgoing)
  })
  await listen(server, host, port)
  const real = (server.address() as AddressInfo).port
  return {
    port: real,
    url: `http://${reachable(host)}:${real}`,
    async [Symbol.asyncDispose]() {
      closing = true
      api[Symbol.dispose]()
      await close(server)
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)))
    server.listen(port, host, resolve)
  })
}

function explain(error: Error, host: string, port: number): InputError {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const problems: Record<string, string> = {
    EADDRINUSE: 'is in use by another program; give API in node.json another port',
    EACCES: 'may not be used by this user; give API in node.json a port above 1023',
    EADDRNOTAVAIL: 'is no address of this machine; change API in node.json',
    ENOTFOUND: 'has a host name that nobody knows; change API in node.json',
  }
  const problem = problems[codeOf(error) ?? ''] ?? `can not be used (${messageOf(error)}); change API in node.json`
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
