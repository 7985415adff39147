import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { MAX_ORIGIN_ADDRESSES, MAX_ORIGIN_BODY_BYTES } from '../constants.ts'
import { parseMultiaddr, peerOf } from '../host/address.ts'

/** Asks another node's API for its multiaddrs: `GET /node` -> `{ "multiaddrs": ["/ip4/.../p2p/..."] }`. */
export async function fetchBootstrapAddresses(origin: string, { signal }: { signal: AbortSignal }): Promise<string[]> {
  const body = await fetchText(new URL('/node', origin), signal)
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch (cause) {
    throw new UnavailableError('its answer is not JSON', { cause })
  }
  const listed = typeof answer === 'object' && answer !== null && 'multiaddrs' in answer ? answer.multiaddrs : undefined
  if (!Array.isArray(listed)) throw new UnavailableError('its answer has no list "multiaddrs"')
  const addresses = listed.slice(0, MAX_ORIGIN_ADDRESSES).filter(isPeerAddress)
  if (addresses.length === 0) throw new UnavailableError('its answer names no multiaddr that ends in /p2p/<peer id>')
  // one node answers for itself: addresses of others are not taken from it
  const [first] = addresses.map((text) => peerOf(parseMultiaddr(text)))
  return addresses.filter((text) => peerOf(parseMultiaddr(text)) === first)
}

function isPeerAddress(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 512) return false
  try {
    return peerOf(parseMultiaddr(text)) !== undefined
  } catch {
    return false
  }
}

/** A connection of its own, closed with the answer; no redirects; a capped body. */
function fetchText(url: URL, signal: AbortSignal): Promise<string> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal, headers: { accept: 'application/json' } }, (response) => {
      const parts: Buffer[] = []
      let size = 0
      if (response.statusCode !== 200) {
        response.destroy()
        return reject(new UnavailableError(`it answered with status ${response.statusCode}`))
      }
      response.on('data', (part: Buffer) => {
        size += part.byteLength
        parts.push(part)
        if (size > MAX_ORIGIN_BODY_BYTES) response.destroy(new UnavailableError('its answer is too long'))
      })
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
      response.on('error', reject)
    })
    request.on('error', (error) => reject(new UnavailableError(sanitizeText(error.message), { cause: error })))
  })
}
