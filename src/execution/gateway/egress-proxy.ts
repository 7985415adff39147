import { once } from 'node:events'
import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PROBLEM_HEADER } from '../../egress/serve.ts'

/** Where a process in a sandbox finds its way out; it is the only one. */
export const PROXY_PORT = 3128
export const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`

/** Not for the server behind it. */
const OWN_HEADERS = ['proxy-connection', 'proxy-authorization', 'connection', 'keep-alive']

/** The way out of a network namespace: a proxy on its loopback, carried to the node, which decides about each host. */
export interface EgressProxy extends Disposable {
  /** The node is at the other end: HTTP/2, of which CONNECT is answered (see egress/serve.ts). */
  attach(pipe: Duplex): void
}

/** It runs in the sandbox's network namespace. Requests wait for the node to attach. */
export async function startEgressProxy(): Promise<EgressProxy> {
  const attached = Promise.withResolvers<ClientHttp2Session>()
  const server = createServer((request, response) => void forward(request, response).catch(() => response.destroy()))
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    void tunnel(request.url ?? '', socket, head).catch(() => socket.destroy())
  })

  async function open(authority: string): Promise<ClientHttp2Stream | { problem: string }> {
    const session = await attached.promise
    if (session.destroyed) return { problem: 'the node has gone' }
    const stream = session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
    stream.on('error', () => {})
    const [headers] = (await once(stream, 'response')) as [Record<string, string | number | undefined>]
    if (headers[constants.HTTP2_HEADER_STATUS] === 200) return stream
    stream.close()
    return { problem: String(headers[PROBLEM_HEADER] ?? `${authority} cannot be reached`) }
  }

  async function tunnel(authority: string, socket: Socket, head: Buffer): Promise<void> {
    const opened = await open(authority)
    if ('problem' in opened) {
      socket.end(`HTTP/1.1 403 ${opened.problem}\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.byteLength > 0) opened.write(head)
    socket.pipe(opened)
    opened.pipe(socket)
    socket.once('close', () => opened.close(constants.NGHTTP2_CANCEL))
    opened.once('close', () => {
      if (!opened.readableEnded) socket.destroy()
    })
  }

  /** A request without encryption names the whole address. */
  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '')
    if (url?.protocol !== 'http:') return void response.writeHead(400).end('only http: and CONNECT')
    const opened = await open(`${url.hostname}:${url.port || 80}`)
    if ('problem' in opened) return void response.writeHead(403).end(opened.problem)
    response.once('close', () => opened.close(constants.NGHTTP2_CANCEL))
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.includes(name)))
    const sent = requestHttp({
      createConnection: () => opened as unknown as Socket,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, connection: 'close' },
    })
    sent.on('error', () => response.destroy())
    sent.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    request.pipe(sent)
  }

  server.listen(PROXY_PORT, '127.0.0.1')
  await once(server, 'listening')
  return {
    attach(pipe) {
      const session = connectHttp2('http://gateway', { createConnection: () => pipe })
      session.on('error', () => {})
      attached.resolve(session)
    },
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
      void attached.promise.then((session) => session.destroy())
    },
  }
}
