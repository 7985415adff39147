import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PROBLEM_HEADER } from '../../../egress/serve.ts'
import { SourceUnavailableError, UnusableSourceError } from './errors.ts'
import { GATEWAY_FD } from './job.ts'

/** Connections to the outside, which the gateway makes and may refuse. */
export interface Gateway extends Disposable {
  connect(host: string, port: number): Promise<Duplex>
}

/** The gateway at the other end of the descriptor: HTTP/2, CONNECT only. */
export function openGateway(): Gateway {
  const session = connectHttp2('http://gateway', {
    createConnection: () => new Socket({ fd: GATEWAY_FD, readable: true, writable: true }),
  })
  session.on('error', () => {})
  return {
    connect: (host, port) => connectThrough(session, host, port),
    [Symbol.dispose]: () => session.destroy(),
  }
}

async function connectThrough(session: ClientHttp2Session, host: string, port: number): Promise<Duplex> {
  if (session.destroyed) throw new SourceUnavailableError('the node has gone')
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const stream = session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
  stream.on('error', () => {})
  const [headers] = (await once(stream, 'response')) as [Record<string, string | number | undefined>]
  const status = headers[constants.HTTP2_HEADER_STATUS]
  if (status === 200) return stream
  stream.close()
  const problem = String(headers[PROBLEM_HEADER] ?? `${authority} cannot be reached`)
  throw status === 403 ? new UnusableSourceError(problem) : new SourceUnavailableError(problem)
}
