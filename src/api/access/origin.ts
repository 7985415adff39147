import { isIP } from 'node:net'
import { AccessError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'

/**
 * A foreign DNS name that points at this machine would give a web page this API's origin. An IP address cannot
 * be pointed elsewhere; besides, only localhost and the operator's own name (`configured`) are answered.
 */
export function checkOrigin(request: Request, configured: string): void {
  const host = hostOf(request)
  const name = hostNameOf(host)
  if (isIP(name) === 0 && name !== 'localhost' && name !== configured.toLowerCase()) {
    throw new AccessError(
      `the request is for ${JSON.stringify(sanitizeText(host, 80))}; these routes answer to an IP address, localhost, or the host of API in node.json`,
    )
  }
  const origin = request.headers.get('origin')
  if (origin !== null && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    throw new AccessError('the request comes from a web page of another origin')
  }
}

/** The name of the host that a request is for: "[::1]:4981" -> "::1" */
export function requestedName(request: Request): string {
  return hostNameOf(hostOf(request))
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host
}

function hostNameOf(host: string): string {
  const six = /^\[(.*)\](:\d+)?$/.exec(host)
  return (six?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase()
}
