import { type Address, addressKey, decodeAddress, formatAddress } from '../../protocols/address.ts'
import { LruMap } from './lru-map.ts'

/** A text can cost a millisecond of curve arithmetic, and the same authors come again and again. */
const MAX_TEXTS = 8192

export interface AddressTexts {
  of(address: Address): string
  ofBytes(bytes: Uint8Array): string
}

/** The canonical texts of addresses, remembered. */
export function createAddressTexts(): AddressTexts {
  const known = new LruMap<string, string>(MAX_TEXTS)
  function of(address: Address): string {
    const key = addressKey(address)
    const text = known.get(key) ?? formatAddress(address)
    known.set(key, text)
    return text
  }
  return { of, ofBytes: (bytes) => of(decodeAddress(bytes)) }
}
