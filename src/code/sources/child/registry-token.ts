import { parseImageRef } from '../../../base/image-ref.ts'
import { isLoopbackHost } from '../../../base/loopback-host.ts'
import { UnauthorizedError, UnusableSourceError } from './errors.ts'
import type { Http } from './http.ts'
import type { Credentials } from './job.ts'

type AskOptions = { maxBytes: number; accept?: string }
type Ask = (url: URL, options: AskOptions) => Promise<AsyncIterable<Uint8Array>>

/**
 * A registry that wants a token says where one is given (distribution spec, "token authentication"), and it is used from then
 * on. As with Docker's client, the login for a registry goes to the host that this registry names: `credentials` are those of
 * its origin and of no other registry, and only its own answer leads them anywhere.
 */
export function authorized(http: Http, ref: string, credentials: Credentials | undefined): Ask {
  let headers: Record<string, string> | undefined
  let withheld: URL | undefined
  const ask: Ask = async (url, options) => (await http.get(url, { ...options, headers })).body

  async function askWithToken(url: URL, options: AskOptions, error: unknown) {
    if (!(error instanceof UnauthorizedError) || headers !== undefined) throw error
    const realm = tokenAddress(url, error)
    const isForLogin = credentials?.origin === error.from.origin
    const login = isForLogin && isConfidential(error.from) && isConfidential(realm) ? credentials : undefined
    if (isForLogin && login === undefined) withheld = realm
    headers = { authorization: `Bearer ${await tokenFrom(http, realm, url, login)}` }
    return await ask(url, options)
  }

  return async (url, options) => {
    try {
      return await ask(url, options).catch((error) => askWithToken(url, options, error))
    } catch (error) {
      throw error instanceof UnauthorizedError ? loginError(ref, url, withheld) : error
    }
  }
}

/** Whoever else reads what goes there reads this machine. */
function isConfidential({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopbackHost(hostname)
}

function loginError(ref: string, { host }: URL, withheld: URL | undefined): UnusableSourceError {
  const why =
    withheld === undefined ? '' : `, and does not go to ${withheld.host}, which gives its tokens without encryption`
  return new UnusableSourceError(
    `${host} shows ${parseImageRef(ref).repository} to nobody without a login; \`docker login ${host}\` writes one, which serves images of your own services alone${why}`,
  )
}

function tokenAddress(asked: URL, unauthorized: UnauthorizedError): URL {
  const fields = new Map(
    [...unauthorized.challenge.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  )
  const realm = /^bearer /i.test(unauthorized.challenge) ? URL.parse(fields.get('realm') ?? '') : null
  if (realm === null || !(realm.protocol === 'https:' || realm.protocol === asked.protocol)) throw unauthorized
  for (const key of ['service', 'scope']) {
    const value = fields.get(key)
    if (value !== undefined) realm.searchParams.set(key, value)
  }
  return realm
}

async function tokenFrom(http: Http, realm: URL, asked: URL, login: Credentials | undefined): Promise<string> {
  const headers = login && { authorization: login.authorization }
  const answer = (await http.json(realm, { headers })) as { token?: unknown; access_token?: unknown } | null
  const token = answer?.token ?? answer?.access_token
  if (typeof token === 'string' && /^[\x21-\x7e]{1,16384}$/.test(token)) return token
  throw new UnusableSourceError(`${realm.host} gives no token for ${asked.host}`)
}
