import { type Address, formatAddress, parseAddress } from '../../../protocols/address.ts'
import { LruMap } from '../../base/lru-map.ts'

/** A policy holds at most 1,000 roots and as many hubs; the one before it is read again too. */
const MAX_KNOWN = 4096

const addresses = new LruMap<string, Address>(MAX_KNOWN)
const texts = new LruMap<string, string>(MAX_KNOWN)

/**
 * Reads an address that the operator wrote. Remembered: each takes up to a millisecond, and the same policy is read
 * again at each preview, each reload and by each part that uses it, while the node serves others.
 */
export function addressOf(text: string, field?: string): Address {
  const known = addresses.get(text)
  if (known !== undefined) return known
  const address = parseAddress(text, field)
  addresses.set(text, address)
  return address
}

/** Its canonical spelling. */
export function canonicalOf(text: string, field?: string): string {
  const known = texts.get(text)
  if (known !== undefined) return known
  const canonical = formatAddress(addressOf(text, field))
  texts.set(text, canonical)
  // the canonical text is what the policy holds from here on
  texts.set(canonical, canonical)
  addresses.set(canonical, addressOf(text))
  return canonical
}
