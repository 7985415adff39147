import { addAbortListener } from 'node:events'
import { connect } from 'node:net'
import { type Duplex, duplexPair, pipeline } from 'node:stream'
import { type Clock, sleep } from '../../base/clock.ts'
import { errnoOf, NotFoundError, UnavailableError } from '../../base/errors.ts'
import type { BytePipe } from '../../base/stream.ts'
import { type Egress, type EgressServer, type ServeOptions, serveEgress } from '../../egress/index.ts'
import { CONNECT_PATIENCE_MS, CONNECT_RETRY_MS, GATEWAY_START_MS } from '../constants.ts'
import { GatewayUnreachableError } from '../errors.ts'
import { readLine } from './server.ts'

export type ConnectOptions = { clock: Clock; signal?: AbortSignal | undefined; patienceMs?: number | undefined }

/** Where a gateway is reached: the path of its socket, or what else begins a connection with it. */
export type GatewayEndpoint = string | (() => Promise<Duplex>)

/** Through a gateway to a port of its run. Waits a bounded time for the gateway to accept connections and the port to listen. */
export async function connectThroughGateway(
  endpoint: GatewayEndpoint,
  port: number,
  options: ConnectOptions,
): Promise<BytePipe> {
  const { clock, signal, patienceMs = CONNECT_PATIENCE_MS } = options
  const until = clock.monotonic() + patienceMs
  // a gateway that has just been started has no socket yet, and that says nothing about the port
  const untilOpen = patienceMs === 0 ? until : Math.max(until, clock.monotonic() + GATEWAY_START_MS)
  for (;;) {
    signal?.throwIfAborted()
    const answer = await sendRequest(endpoint, { connect: port }, signal)
    if (answer.line === 'ok') return answer.socket
    answer.socket.destroy()
    if (answer.line === 'no EACCES') throw new NotFoundError(`port ${port} is not among the run's declared ports`)
    if (clock.monotonic() >= (answer.line === 'no ENOENT' ? untilOpen : until)) throw noAnswer(port, answer.line)
    await sleep(clock, CONNECT_RETRY_MS, { signal })
  }
}

/** One request that is answered with one line; throws a GatewayUnreachableError where there is no gateway. */
export async function requestGateway(
  endpoint: GatewayEndpoint,
  request: object,
  signal?: AbortSignal,
): Promise<string> {
  const { line, socket } = await sendRequest(endpoint, request, signal)
  socket.destroy()
  if (line.startsWith('no ')) throw new GatewayUnreachableError(line.slice(3))
  return line
}

/** Serves the way out of a run, until disposed or until the run, or what carries its connections, has ended. */
export async function serveEgressThrough(
  endpoint: GatewayEndpoint,
  egress: Egress,
  { signal, ...options }: ServeOptions & { signal?: AbortSignal | undefined },
): Promise<EgressServer> {
  const { line, socket } = await sendRequest(endpoint, { egress: true }, signal)
  if (line !== 'ok') {
    socket.destroy()
    throw new GatewayUnreachableError(line.replace(/^no /, ''))
  }
  // what has come already is in the stream, where a session of HTTP/2 would not look
  const [pipe, inner] = duplexPair()
  pipeline(socket, inner, () => {})
  pipeline(inner, socket, () => {})
  // a half of it is of no use to either side
  socket.once('end', () => pipe.destroy()).once('close', () => pipe.destroy())
  pipe.once('close', () => socket.destroy())
  return serveEgress(egress, pipe, options)
}

/** Is there a gateway? One of an earlier version does not know the question, and says so. */
export async function isGatewayOpen(endpoint: GatewayEndpoint, signal?: AbortSignal): Promise<boolean> {
  const { line, socket } = await sendRequest(endpoint, { ping: true }, signal)
  socket.destroy()
  return line === 'ok' || line === 'no EPROTO'
}

async function sendRequest(
  endpoint: GatewayEndpoint,
  request: object,
  signal?: AbortSignal,
): Promise<{ line: string; socket: Duplex }> {
  // a signal that has aborted already calls no listener
  signal?.throwIfAborted()
  const socket = typeof endpoint === 'string' ? connect({ path: endpoint, allowHalfOpen: true }) : await endpoint()
  const abort = () => socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
  using _aborted = signal === undefined ? undefined : addAbortListener(signal, abort)
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    return { line: await readLine(socket), socket }
  } catch (error) {
    signal?.throwIfAborted()
    return { line: `no ${errnoOf(error) ?? 'ECONNRESET'}`, socket }
  } finally {
    // Later errors of the pipe are its user's; before there is one they must not end the node.
    socket.on('error', () => {})
  }
}

function noAnswer(port: number, line: string): UnavailableError {
  if (line === 'no ECONNREFUSED') return new UnavailableError(`nothing listens on port ${port} of the run`)
  return new GatewayUnreachableError(line.replace(/^no /, ''))
}
