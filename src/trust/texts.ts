import { decodeAddress, formatAddress } from '../../protocols/address.ts'
import { BoundedMap } from '../base/queue.ts'
import { TEXTS } from './constants.ts'
import { keyOf } from './entry.ts'

/** The canonical text of an address, remembered. */
export type TextOf = (bytes: Uint8Array) => string

export function createTexts(): TextOf {
  const known = new BoundedMap<string, string>(TEXTS)
  return (bytes) => {
    const key = keyOf(bytes)
    const before = known.get(key)
    if (before !== undefined) return before
    const text = formatAddress(decodeAddress(bytes))
    known.set(key, text)
    return text
  }
}
