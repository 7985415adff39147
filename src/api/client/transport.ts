import { once } from 'node:events'
import type { IncomingMessage, RequestOptions } from 'node:http'

/** Where a node's API answers. */
export type Target = {
  /** the API's origin, like "http://127.0.0.1:4981" */
  readonly url: string
  /** the unix socket on which it answers, instead of the origin */
  readonly socketPath?: string | undefined
}

export type ApiRequest = {
  readonly method: 'GET' | 'POST'
  /** path and query */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array> | undefined
  readonly signal?: AbortSignal | undefined
}

export type ApiResponse = {
  readonly status: number
  /** To be read to its end, or left with `return`. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Asks once, on a connection of its own. Redirections are not followed: what is sent is for this node alone. */
export async function send({ url, socketPath }: Target, question: ApiRequest): Promise<ApiResponse> {
  const { method, path, headers, body, signal } = question
  const { protocol, hostname, port } = new URL(url)
  // an import would evaluate every getter of the module, and load what none of this needs
  const { request } = process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http')
  const where: RequestOptions =
    socketPath === undefined ? { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port } : { socketPath }
  const outgoing = request({
    ...where,
    method,
    path,
    headers,
    agent: false,
    ...(signal === undefined ? {} : { signal }),
  })
  // what comes after the answer, or beside the first failure, is in the answer's body or nowhere
  outgoing.on('error', () => {})
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
  else void upload(body, outgoing)
  const [incoming] = await answered
  return { status: incoming.statusCode ?? 0, body: incoming }
}

async function upload(
  body: AsyncIterable<Uint8Array>,
  outgoing: NodeJS.WritableStream & { destroy(error: Error): unknown },
) {
  const [{ Readable }, { pipeline }] = await Promise.all([import('node:stream'), import('node:stream/promises')])
  await pipeline(Readable.from(body), outgoing).catch((error: Error) => outgoing.destroy(error))
}
