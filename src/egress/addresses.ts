import ipaddr from 'ipaddr.js'

const GLOBAL = ipaddr.parseCIDR('2000::/3')

/** An address that everyone on the internet reaches in the same way: not private, loopback, link-local, shared or reserved. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  // of IPv6 only this block is given to networks
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL))
}

/** Is it one of `listed`, which are addresses and CIDR ranges? Two spellings of an address are one. */
export function isListedAddress(address: string, listed: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return listed.some((entry) => {
    const range = rangeOf(entry)
    return range !== undefined && range[0].kind() === parsed.kind() && parsed.match(range)
  })
}

/** Is this text an address? The spellings that only some resolvers take (`127.1`, `0x7f.1`, `2130706433`) are names, and lead nowhere. */
export function isAddress(host: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(host) || ipaddr.IPv6.isValid(host)
}

/** Is it an address, or a range of them like `10.0.0.0/8`? */
export function isAddressRange(entry: string): boolean {
  return rangeOf(entry) !== undefined
}

function rangeOf(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  const [address = '', bits] = entry.split('/')
  if (!isAddress(address)) return undefined
  const parsed = ipaddr.process(address)
  if (bits === undefined) return [parsed, parsed.kind() === 'ipv4' ? 32 : 128]
  return ipaddr.isValidCIDR(entry) ? [parsed, Number(bits)] : undefined
}
