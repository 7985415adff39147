import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { connect as connectTls, rootCertificates, type TLSSocket } from 'node:tls'
import { certificateReason, isUnknownAuthority, messageOf } from '../../../base/errors.ts'
import { formatBytes } from '../../../base/format.ts'
import { TooLargeError } from '../../errors.ts'
import { NotFoundError, SourceUnavailableError, UnauthorizedError, UnusableSourceError } from './errors.ts'
import type { Gateway } from './gateway.ts'
import type { Credentials } from './job.ts'

const MAX_REDIRECTS = 5
/** A server that sends nothing for so long is given up. */
const IDLE_MS = 30_000
/** A page of an index. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
const MAX_HEADER_BYTES = 32 * 1024
const USER_AGENT = 'thundercloud'

export type Answer = {
  /** after redirects */
  readonly url: URL
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Uint8Array>
}

export type GetOptions = {
  readonly maxBytes: number
  readonly accept?: string | undefined
  /** headers for the host of the first address alone */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** a body to send with POST; then no redirect is followed */
  readonly post?: string | undefined
}

/** HTTP through the gateway. Redirects are followed one by one: the gateway decides about each host. */
export interface Http {
  /** An answer of 200. Throws UnusableSourceError for one that will stay an error, SourceUnavailableError for others. */
  get(url: URL, options: GetOptions): Promise<Answer>
  json(url: URL, options?: Partial<GetOptions>): Promise<unknown>
  text(url: URL, options?: Partial<GetOptions>): Promise<string>
}

export type HttpInit = {
  /** certificate authorities beside those of Node, PEM */
  readonly authorities: readonly string[]
  readonly credentials?: Credentials | undefined
}

export function createHttp(gateway: Gateway, { authorities, credentials }: HttpInit): Http {
  const ca = [...rootCertificates, ...authorities]

  async function connect(url: URL) {
    const secure = url.protocol === 'https:'
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const connection = await gateway.connect(host, Number(url.port || (secure ? 443 : 80)))
    if (!secure) return connection
    const named = /^[0-9.]+$|:/.test(host) ? {} : { servername: host }
    const tls = connectTls({ socket: connection, host, ca, ALPNProtocols: ['http/1.1'], ...named })
    tls.setTimeout(IDLE_MS, () => tls.destroy(new Error(`nothing came for ${IDLE_MS / 1000} s`)))
    await once(tls, 'secureConnect').catch((cause) => {
      throw certificateError(host, cause)
    })
    return tls
  }

  async function request(url: URL, { accept, headers, post }: GetOptions): Promise<IncomingMessage> {
    const connection = await connect(url)
    const sent = requestHttp({
      createConnection: () => connection as TLSSocket,
      method: post === undefined ? 'GET' : 'POST',
      path: `${url.pathname}${url.search}`,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        host: url.host,
        'user-agent': USER_AGENT,
        accept: accept ?? '*/*',
        'accept-encoding': 'identity',
        ...(credentials?.origin === url.origin ? { authorization: credentials.authorization } : {}),
        ...headers,
      },
    })
    sent.setTimeout(IDLE_MS, () => sent.destroy(new Error(`nothing came for ${IDLE_MS / 1000} s`)))
    const answered = Promise.withResolvers<IncomingMessage>()
    sent.once('response', answered.resolve)
    // an error that comes after the answer has begun is the answer's, too
    sent.on('error', answered.reject)
    // without an error, where the server switches to another protocol
    sent.once('close', () => answered.reject(new Error('it ends the connection')))
    sent.end(post)
    const answer = await answered.promise.catch((cause) => {
      throw new SourceUnavailableError(`${url.host} does not answer (${messageOf(cause)})`, { cause })
    })
    answer.once('close', () => connection.destroy())
    return answer
  }

  async function get(first: URL, options: GetOptions): Promise<Answer> {
    let url = first
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const headers = url.host === first.host ? options.headers : undefined
      const answer = await request(url, { ...options, headers })
      const status = answer.statusCode ?? 0
      if (status === 200) return { url, status, headers: answer.headers, body: bounded(answer, url, options.maxBytes) }
      answer.destroy()
      if (options.post !== undefined || ![301, 302, 303, 307, 308].includes(status)) throw statusError(url, answer)
      url = redirected(url, answer.headers.location)
    }
    throw new UnusableSourceError(`${first.host} redirects more than ${MAX_REDIRECTS} times`)
  }

  async function text(url: URL, options: Partial<GetOptions> = {}): Promise<string> {
    const { body } = await get(url, { maxBytes: MAX_DOCUMENT_BYTES, ...options })
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }

  return {
    get,
    text,
    async json(url, options) {
      const found = await text(url, { accept: 'application/json', ...options })
      try {
        return JSON.parse(found)
      } catch (cause) {
        throw new UnusableSourceError(`${url.host} does not answer with JSON at ${url.pathname}`, { cause })
      }
    },
  }
}

function certificateError(host: string, cause: unknown): SourceUnavailableError {
  const advice = isUnknownAuthority(cause) ? '; name its authority in NODE_EXTRA_CA_CERTS' : ''
  return new SourceUnavailableError(`${host} has no certificate that holds (${certificateReason(cause)})${advice}`, {
    cause,
  })
}

function redirected(from: URL, location: string | undefined): URL {
  const to = location === undefined ? undefined : URL.parse(location, from)
  if (to === null || to === undefined) throw new UnusableSourceError(`${from.host} redirects to nowhere`)
  if (to.protocol !== 'https:' && !(to.protocol === 'http:' && from.protocol === 'http:')) {
    throw new UnusableSourceError(`${from.host} redirects to an address of another kind (${to.protocol}//${to.host})`)
  }
  if (to.username !== '' || to.password !== '')
    throw new UnusableSourceError(`${from.host} redirects to an address with a password`)
  return to
}

function statusError(url: URL, { statusCode: status = 0, headers }: IncomingMessage): Error {
  const text = `${url.host} answers ${status} for ${url.pathname}`
  if (status === 401) return new UnauthorizedError(text, headers['www-authenticate'] ?? '', url)
  // 405: the server has other requests than GET there, which is no document either
  if ([404, 405, 410].includes(status)) return new NotFoundError(text)
  const later = status === 408 || status === 429 || status >= 500
  return later ? new SourceUnavailableError(text) : new UnusableSourceError(text)
}

async function* bounded(answer: IncomingMessage, url: URL, maxBytes: number): AsyncGenerator<Uint8Array> {
  const length = Number(answer.headers['content-length'] ?? 0)
  if (length > maxBytes) throw tooLarge(url, maxBytes)
  let bytes = 0
  try {
    for await (const piece of answer as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw tooLarge(url, maxBytes)
      yield piece
    }
  } catch (cause) {
    if (cause instanceof TooLargeError) throw cause
    throw new SourceUnavailableError(`${url.host} broke off (${messageOf(cause)})`, { cause })
  } finally {
    answer.destroy()
  }
}

function tooLarge(url: URL, maxBytes: number): TooLargeError {
  return new TooLargeError(`${url.host} sends more than the ${formatBytes(maxBytes)} that may be downloaded`)
}
