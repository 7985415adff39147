import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ThundercloudNode } from '../node/contract.ts'
import { buildApi } from './app.ts'
import { keepOperatorSocket, type OperatorSocketInit } from './operator-socket.ts'
import { listenHttp } from './serve.ts'

export { type ApiClient, type ApiClientInit, createApiClient, type NodeEvent } from './client/client.ts'
export { ApiError, NoDaemonError } from './client/errors.ts'
export type { NodeInfo, Submitted } from './schemas.ts'
export type { SubmittedStatement } from './trust-schemas.ts'

export interface ApiComponents {
  readonly node: ThundercloudNode
  readonly clock: Clock
  readonly log: Log
  /** what the operator proves to be the operator with */
  readonly token: string
  /** where it listens, as the operator wrote it: besides IP addresses and localhost, the name that the operator's routes answer to */
  readonly host?: string | undefined
}

/**
 * The HTTP API of one node, as a fetch handler. Disposing it ends its event streams.
 *
 * @example
 * using api = createApi({ node, clock, log, token })
 * await using served = await serveApi(api, '127.0.0.1', 4981)
 */
export interface Api extends Disposable {
  /** `bindings.operator`: it came by a way that is the operator's alone. */
  fetch(request: Request, bindings?: object): Response | Promise<Response>
  /** Whether the header `Authorization` carries the token. */
  isOperator(authorization: string | undefined): boolean
}

export interface ServedApi extends AsyncDisposable {
  /** the real one, also where port 0 was asked for */
  readonly port: number
  /** how a program on this machine reaches it: "http://127.0.0.1:4981" */
  readonly url: string
}

export function createApi(components: ApiComponents): Api {
  return buildApi(components)
}

/** Serves an API on `host`:`port`. Throws an InputError where it can not listen there. Disposing it ends every connection. */
export function serveApi(
  api: Api,
  host: string,
  port: number,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<ServedApi> {
  return listenHttp(api, host, port, options)
}

/**
 * Serves an API to the operator alone, without a token: on a unix socket in `folder`, which is made, and made again within
 * a minute where somebody removed it. Disposing it removes both.
 */
export function serveOperator(
  api: Api,
  folder: string,
  init: OperatorSocketInit,
): Promise<{ readonly path: string } & AsyncDisposable> {
  return keepOperatorSocket(api, folder, init)
}
