import { addressBytes, decodeAddress, formatAddress, parseAddress } from '../../../protocols/address.ts'
import { keyOf, LruMap } from '../../base/lru-map.ts'
import { ADDRESS_CACHE_SIZE } from '../constants.ts'

/** The canonical text of an address, remembered. */
export type TextOf = (bytes: Uint8Array) => string

export function createAddressTextCache(): TextOf {
  const known = new LruMap<string, string>(ADDRESS_CACHE_SIZE)
  return (bytes) => {
    const key = keyOf(bytes)
    const before = known.get(key)
    if (before !== undefined) return before
    const text = formatAddress(decodeAddress(bytes))
    known.set(key, text)
    return text
  }
}

/** The address bytes of a text that this program wrote, remembered: reading one costs as much. */
export type BytesOf = (text: string) => Uint8Array

export function createAddressBytesCache(): BytesOf {
  const known = new LruMap<string, Uint8Array>(ADDRESS_CACHE_SIZE)
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const bytes = addressBytes(parseAddress(text))
    known.set(text, bytes)
    return bytes
  }
}
