import { type Clock, deadline, systemClock } from '../../base/clock.ts'
import {
  certificateReason,
  isUnknownAuthority,
  systemMessageOf,
  ThundercloudError,
  TimeoutError,
} from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import type { Shape } from '../shape.ts'
import { ApiError, errorOfStatus, NoDaemonError } from './errors.ts'
import { readEventStream, type SseEvent } from './sse-reader.ts'
import { type ApiResponse, send } from './transport.ts'

export type ApiClientInit = {
  /** the API's origin, like "http://127.0.0.1:4981" */
  readonly url: string
  /** the unix socket on which it answers its operator, instead of the origin; needs no token */
  readonly socketPath?: string | undefined
  /** content of `api.token`; without it only the open routes answer */
  readonly token?: string | undefined
  /** what to do when there is no answer: the end of that sentence */
  readonly advice?: string | undefined
  /** default: the system's */
  readonly clock?: Clock | undefined
  /** for one answer; streams and uploads take as long as they take */
  readonly timeoutMs?: number | undefined
}

export type Call = {
  method?: 'GET' | 'POST' | undefined
  body?: Uint8Array | string | AsyncIterable<Uint8Array>
  type?: string
  headers?: Readonly<Record<string, string>> | undefined
  /** a status that brings an answer although it is no success */
  accept?: number
  signal?: AbortSignal | undefined
}

/** Asks one node's API, and reads what it answers. All errors are classes of `errors.ts`, or TimeoutError. */
export interface RestClient {
  ask<T>(schema: Shape<T>, path: string, call?: Call, limitMs?: number): Promise<T>
  /** The events of a stream; an `error` event is thrown. */
  stream(path: string, call?: Call): AsyncIterable<SseEvent>
  /** The bytes of an answer, however long they take. */
  download(path: string, call?: Call): AsyncIterable<Uint8Array>
  parse<T>(schema: Shape<T>, text: string): T
}

/** A node that is busy answers within seconds; one that does not is stuck. */
const DEFAULT_TIMEOUT_MS = 15_000

export function createRestClient(init: ApiClientInit): RestClient {
  const { url, token, advice, clock = systemClock(), timeoutMs = DEFAULT_TIMEOUT_MS } = init
  const where = init.socketPath ?? url

  async function call(
    path: string,
    { method = 'GET', body, type, accept, signal, ...more }: Call,
  ): Promise<ApiResponse> {
    const headers = {
      ...more.headers,
      // a socket needs none: only the operator can open it
      ...(token === undefined || init.socketPath !== undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
    }
    let answer: ApiResponse
    try {
      answer = await send(init, { method, path, headers, body, signal })
    } catch (error) {
      signal?.throwIfAborted()
      if (isUnknownAuthority(error)) throw untrusted(where, error)
      const what = `no node answers at ${where} (${sanitizeText(systemMessageOf(error), 120)})`
      throw new NoDaemonError(advice === undefined ? what : `${what}; ${advice}`, { cause: error })
    }
    if ((answer.status >= 200 && answer.status < 300) || answer.status === accept) return answer
    throw errorOfStatus(answer.status, await problemText(answer))
  }

  async function ask<T>(
    schema: Shape<T>,
    path: string,
    { signal, ...rest }: Call = {},
    limitMs = timeoutMs,
  ): Promise<T> {
    using patience = deadline(clock, limitMs, new TimeoutError(`the node at ${where} did not answer in time`), signal)
    const answer = await call(path, { ...rest, signal: patience.signal })
    try {
      return parse(schema, await textOf(answer))
    } catch (error) {
      throw brokeOff(error, patience.signal)
    }
  }

  async function* stream(path: string, options: Call = {}): AsyncGenerator<SseEvent> {
    const answer = await call(path, options)
    try {
      for await (const event of readEventStream(answer.body)) {
        if (event.event === 'error') throw errorIn(event.data)
        yield event
      }
    } catch (error) {
      throw brokeOff(error, options.signal)
    }
  }

  async function* download(path: string, options: Call = {}): AsyncGenerator<Uint8Array> {
    const answer = await call(path, options)
    try {
      yield* answer.body
    } catch (error) {
      throw brokeOff(error, options.signal)
    }
  }

  function brokeOff(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    if (error instanceof ThundercloudError) return error
    return new NoDaemonError(`the connection to ${where} broke off`, { cause: error })
  }

  function parse<T>(schema: Shape<T>, text: string): T {
    try {
      return schema.read(JSON.parse(text))
    } catch (cause) {
      throw new ApiError(`the answer of ${where} is not what this version understands`, { cause })
    }
  }

  return { ask, stream, download, parse }
}

function untrusted(where: string, cause: unknown): NoDaemonError {
  return new NoDaemonError(
    `no authority known here vouches for the certificate at ${where} (${sanitizeText(certificateReason(cause), 120)}); name the PEM file of its authority, or of the certificate where it signs itself, in NODE_EXTRA_CA_CERTS`,
    { cause },
  )
}

/** `?a=1`, of what is there. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

async function textOf({ body }: ApiResponse): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of body) text += decoder.decode(piece, { stream: true })
  return text + decoder.decode()
}

async function problemText(answer: ApiResponse): Promise<string> {
  const text = await textOf(answer).catch(() => '')
  return sanitizeText(textIn(text), 500) || `the node answered with HTTP ${answer.status}`
}

/** An error that came after the answer had begun is a problem document, too. */
function errorIn(json: string): Error {
  const { detail = '', status = 500 } = objectIn(json)
  return errorOfStatus(Number(status), sanitizeText(String(detail), 500))
}

/** The sentence of a problem document, or nothing where it is something else. */
function textIn(json: string): string {
  const { detail = '' } = objectIn(json)
  return String(detail)
}

function objectIn(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
