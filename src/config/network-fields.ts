import { isIP } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { valueText } from './settings-error.ts'
import { sentence } from './zod-fields.ts'

const HOST =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$|^\[?(?=[0-9a-f]{0,4}:)[0-9a-f:.]{2,45}\]?$/i
const TARGET = /^service:self$|^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*:([1-9]\d{0,4})$/

/** The longest name of a host, and its final dot. What is longer is not looked at. */
const MAX_HOST = 254

export function hostName(allowed: string) {
  return z.string(allowed).regex(HOST, allowed)
}

/** A host that code may come from. Comes out as an address's host reads: lower case, ASCII, without the final dot. */
export function storageHost() {
  const allowed = 'a host name like "github.com", an address, or a range like "10.0.0.0/8"'
  return z.string(allowed).transform((text, context) => {
    if (isRange(text)) return text.toLowerCase()
    const host = text.length <= MAX_HOST ? asciiHost(text) : undefined
    if (host !== undefined) return host
    context.addIssue({ code: 'custom', message: allowed })
    return z.NEVER
  })
}

/** What a run may reach: `host:port`, `*.host:port` for any subdomain, or `service:self` for the other runs of its service. */
export function networkTarget() {
  const allowed = 'host:port in lower case like "api.github.com:443" or "*.example.org:443", or "service:self"'
  return z.string(allowed).max(261, allowed).regex(TARGET, allowed)
}

export function httpUrl() {
  const allowed = 'an http(s) address without user and password, like "https://localhost:4873"'
  return z
    .string(allowed)
    .max(512, allowed)
    .refine((text) => isHttp(text), allowed)
}

/** A multiaddr over TCP. With `listen`: an IP address of this machine and a port, and nothing more. */
export function tcpAddress(kind: 'listen' | 'dial') {
  const allowed =
    kind === 'listen'
      ? 'a multiaddr like "/ip4/0.0.0.0/tcp/4980"'
      : 'a multiaddr like "/dns4/node.example.org/tcp/4980"'
  return z
    .string(allowed)
    .max(512, allowed)
    .superRefine((text, context) => {
      if (isTcp(text, kind)) return
      if (kind === 'dial' && isOtherTransport(text)) return sentence(context, [], transportText(text))
      context.addIssue({ code: 'custom', message: allowed })
    })
}

/** A multiaddr, or an origin. An address with a misspelled scheme passes here and is left out with a notice. */
export function staticNode() {
  const allowed =
    'a multiaddr like "/ip4/192.0.2.7/tcp/4980/p2p/12D3KooW..." or an origin like "https://node.example.org"'
  return z
    .string(allowed)
    .max(512, allowed)
    .superRefine((text, context) => {
      if (isTcp(text, 'dial') || isHttp(text) || isUnknownScheme(text)) return
      if (isOtherTransport(text)) return sentence(context, [], transportText(text))
      context.addIssue({ code: 'custom', message: allowed })
    })
}

export type StaticNodes = {
  readonly multiaddrs: readonly string[]
  readonly origins: readonly string[]
  /** addresses with an unknown scheme: reported, never dialled */
  readonly unusable: readonly string[]
}

export function sortStaticNodes(nodes: readonly string[]): StaticNodes {
  return {
    multiaddrs: nodes.filter((node) => node.startsWith('/')),
    origins: nodes.filter(isHttp).map((node) => new URL(node).origin),
    unusable: nodes.filter(isUnknownScheme),
  }
}

function asciiHost(text: string): string | undefined {
  // one colon begins a port, more of them are an IPv6 address
  const colons = text.split(':').length - 1
  if (/[\s/\\@?#*%]/.test(text) || colons === 1) return undefined
  const url = `https://${colons > 1 && !text.startsWith('[') ? `[${text}]` : text}`
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : ''
  return HOST.test(host) ? host : undefined
}

function isRange(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  const most = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most
}

export function isHttp(text: string): boolean {
  if (text.length > 512) return false
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

function isUnknownScheme(text: string): boolean {
  return text.length <= 512 && /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text) && !/^https?:/i.test(text)
}

/** Why a multiaddr cannot be dialled: a phrase that follows its name in a sentence. */
export function transportProblem(text: string): string | undefined {
  return isOtherTransport(text) ? transportText(text) : undefined
}

/** A multiaddr that is well-formed, and of a transport that this version does not speak. */
function isOtherTransport(text: string): boolean {
  if (text.length > 512 || !text.startsWith('/')) return false
  try {
    return multiaddr(text).getComponents().length > 0 && !isTcp(text, 'dial')
  } catch {
    return false
  }
}

function transportText(text: string): string {
  const parts = [
    ...new Set(
      text
        .split('/')
        .filter((part) =>
          /^(dnsaddr|ws|wss|tls|quic(-v1)?|udp|webtransport|webrtc(-direct)?|p2p-circuit|unix|onion3)$/.test(part),
        ),
    ),
  ]
  const which = parts.length === 0 ? 'no TCP port' : parts.map((part) => `/${part}`).join(' and ')
  return `is ${valueText(text)}, with ${which}; the transport that there is is plain TCP over ip4, ip6 or dns, like "/dns4/node.example.org/tcp/4980/p2p/12D3KooW..." (wss and dnsaddr come with a later version); or name the origin of the node's API, like "https://node.example.org"`
}

function isTcp(text: string, kind: 'listen' | 'dial'): boolean {
  if (text.length > 512) return false
  try {
    const names = multiaddr(text)
      .getComponents()
      .map(({ name }) => name)
    const [host, tcp, ...rest] = names
    if (tcp !== 'tcp') return false
    if (kind === 'listen') return (host === 'ip4' || host === 'ip6') && rest.length === 0
    return ['ip4', 'ip6', 'dns', 'dns4', 'dns6'].includes(host ?? '') && (rest.length === 0 || rest.join() === 'p2p')
  } catch {
    return false
  }
}
