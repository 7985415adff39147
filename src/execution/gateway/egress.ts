import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createEgressProxy } from './egress-proxy.ts'
import { createEgressSession, type EgressSession, MAX_CONNECTIONS } from './egress-session.ts'
import { joinConnection } from './join-connection.ts'
import type { TrafficMeter } from './traffic.ts'

const ANY_ADDRESS = '0.0.0.0'

/** What a gateway listens at in a run's network, as JSON: each address stands for a host that only the node reaches. 0.0.0.0: every one for itself. */
export type EgressSpec = {
  readonly listeners: readonly { readonly host: string; readonly port: number; readonly address: string }[]
  readonly proxyPort?: number | undefined
}

/** The way out of a network namespace: carried to the node, which decides about each connection. */
export interface GatewayEgress extends Disposable {
  /** The node is at the other end: HTTP/2, of which CONNECT is answered (src/egress/serve.ts). */
  attach(pipe: Duplex): void
}

/** It listens when this resolves. It runs in the run's network, from this folder alone. */
export async function startEgress({ listeners, proxyPort }: EgressSpec, meter?: TrafficMeter): Promise<GatewayEgress> {
  const session = createEgressSession()
  const servers = new Set<Server>()
  const listen = async (server: Server, port: number, address: string) => {
    servers.add(server)
    if (meter !== undefined) server.on('connection', meter.add)
    server.listen(port, address)
    await once(server, 'listening')
  }
  for (const { host, port, address } of listeners) await listen(targetServer(session, { host, port }), port, address)
  if (proxyPort !== undefined) await listen(createEgressProxy(session), proxyPort, '127.0.0.1')
  return {
    attach: session.attach,
    [Symbol.dispose]() {
      for (const server of servers) server.close()
      session[Symbol.dispose]()
    },
  }
}

/** Stands for one host and port: bytes both ways, of any protocol. One that listens everywhere stands for each address. */
function targetServer(session: EgressSession, { host, port }: { host: string; port: number }): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    const target = host === ANY_ADDRESS ? socket.localAddress : host
    void carry(session, `${target}:${port}`, socket).catch(() => socket.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  return server
}

/** A connection that is refused is reset: the run's log says why. */
async function carry(session: EgressSession, authority: string, socket: Socket): Promise<void> {
  const opened = await session.open(authority)
  if ('problem' in opened) socket.resetAndDestroy()
  else joinConnection(socket, opened.stream)
}
