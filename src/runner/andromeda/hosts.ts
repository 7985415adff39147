import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { ReceivedSource } from '../contract.ts'

/** Docker's own registry goes by this name in references that name no host. */
const DOCKER_HUB = 'docker.io'

/**
 * The host of an address, in one spelling: lower case, international names in their ASCII form, without user, port and
 * final dot. Undefined where two programs could read two hosts in it.
 */
export function hostOfUrl(url: string): string | undefined {
  if (/[\s\\\p{Cc}]/u.test(url) || !URL.canParse(url)) return undefined
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') return undefined
  const host = hostname.replace(/\.$/, '')
  return host === '' ? undefined : host
}

/** The host of an image's reference: its first part where that looks like one. */
export function hostOfImage(ref: string): string | undefined {
  const first = ref.split('/', 1)[0] as string
  const named = ref.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return named ? hostOfUrl(`https://${first}`) : DOCKER_HUB
}

/** Is `host` this entry of a list, a name below it, or an address of this range? Addresses have nothing below them. */
export function isWithin(host: string, entry: string): boolean {
  if (host === entry) return true
  if (entry.includes('/')) return isInRange(host, entry)
  return host.endsWith(`.${entry}`) && !isAddress(host)
}

/** Could this name lead to a machine that is not on the public network? The gateway checks what the name resolves to. */
export function isPublicName(name: string): boolean {
  const host = hostOfUrl(`http://${name}`)
  if (host === undefined) return false
  if (isAddress(host)) return isIPv4(host) && !isPrivateIPv4(host)
  return host.includes('.') && !['localhost', 'local', 'internal', 'home.arpa'].some((entry) => isWithin(host, entry))
}

export type DownloadSource = Exclude<ReceivedSource, { type: 'mesh' | 'inline' }>

function isInRange(host: string, range: string): boolean {
  const [address = '', bits] = range.split('/')
  const bare = host.replace(/^\[|\]$/g, '')
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  if (family === 'ipv4' ? !isIPv4(bare) : !isIPv6(bare)) return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family)
  return list.check(bare, family)
}

function isAddress(host: string): boolean {
  return isIPv4(host) || isIPv6(host.replace(/^\[|\]$/g, ''))
}

/** Of RFC 6890's special blocks, those that a machine of this network may have, and those that no machine has. */
function isPrivateIPv4(address: string): boolean {
  const [a, b] = address.split('.').map(Number) as [number, number, number, number]
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true
  if (a === 100) return b >= 64 && b < 128
  if (a === 169) return b === 254
  if (a === 172) return b >= 16 && b < 32
  if (a === 192) return b === 168 || b === 0
  return a === 198 && (b === 18 || b === 19)
}
