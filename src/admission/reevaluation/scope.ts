import { addressBytes, parseAddress } from '../../../protocols/address.ts'
import type { ReevaluatedServices } from '../../journal/index.ts'
import type { TrustChange } from '../../trust/index.ts'

/** Which services a change concerns. */
export type ReevaluationScope =
  | { readonly on: 'all' | 'tree' }
  | { readonly on: 'code'; readonly code: string }
  /** `address`: hexadecimal */
  | { readonly on: 'author'; readonly address: string }

export function isSameScope(a: ReevaluationScope, b: ReevaluationScope): boolean {
  if (a.on === 'code') return b.on === 'code' && a.code === b.code
  if (a.on === 'author') return b.on === 'author' && a.address === b.address
  return a.on === b.on
}

export function servicesIn(scope: ReevaluationScope): ReevaluatedServices {
  switch (scope.on) {
    case 'code':
      return { on: 'code', code: scope.code }
    case 'author':
      return { on: 'author', author: Uint8Array.from(Buffer.from(scope.address, 'hex')) }
    default:
      return { on: 'all' }
  }
}

export function scopeOf(change: TrustChange): ReevaluationScope {
  switch (change.on) {
    case 'code':
      return { on: 'code', code: change.code }
    case 'freeze':
      return { on: 'author', address: Buffer.from(addressBytes(parseAddress(change.address))).toString('hex') }
    case 'tree':
      return { on: 'tree' }
  }
}
