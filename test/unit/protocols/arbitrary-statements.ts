import fc from 'fast-check'
import { addressBytes, decodeAddress, formatAddress } from '../../../protocols/address.ts'
import { type AttestationBody, SEVERITIES } from '../../../protocols/attestation.ts'
import type { DelegationBody } from '../../../protocols/delegation.ts'
import { cidOfBytes } from '../../../protocols/encoding.ts'
import type { FreezeBody } from '../../../protocols/freeze.ts'
import { MAX_STATEMENT_SECONDS } from '../../../protocols/limits.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { hex } from '../../../scripts/vectors/kit/kit.ts'
import { address, amount, any, text, url } from './arbitraries.ts'

const standing = fc
  .tuple(fc.nat(2 ** 40), fc.integer({ min: 1, max: MAX_STATEMENT_SECONDS }))
  .map(([start, seconds]) => ({ issued: start, expires: start + seconds }))
/** Few values, so that two of one subject and one seq are met often. */
const few = fc.nat(2)

const severity = fc.constantFrom(undefined, ...SEVERITIES)
const found = fc.oneof(
  fc.constant({ verdict: 'safe' as const }),
  severity.map((one) => ({ verdict: 'unsafe' as const, ...(one && { severity: one }) })),
)

export function attestationBody(hub: Signer): fc.Arbitrary<AttestationBody> {
  return fc
    .tuple(
      fc.constantFrom(...[1, 2].map((n) => cidOfBytes(Uint8Array.of(n)))),
      found,
      standing,
      fc.oneof(few, any),
      fc.option(url, { nil: undefined }),
    )
    .map(([code, said, times, seq, report]) => {
      const rest = report === undefined ? {} : { report }
      return { v: 1, hub: addressBytes(hub.address), code, ...said, ...times, seq, ...rest }
    })
}

/** Any text that is no address in disguise. */
const chainName = text(128, 1).map((name) => name.replaceAll('Z', 'z').replace(/[A-Z]/g, 'a'))
const symbiote = address.map((bytes) => formatAddress(decodeAddress(bytes)))

export function freezeBody(hub: Signer): fc.Arbitrary<FreezeBody> {
  return fc
    .tuple(address, fc.oneof(fc.constant('sol'), symbiote, chainName), amount, standing, fc.oneof(few, any))
    .map(([whose, chain, much, times, seq]) => {
      return { v: 1, hub: addressBytes(hub.address), address: whose, chain, amount: much, ...times, seq }
    })
}

export function delegationBody(issuer: Signer): fc.Arbitrary<DelegationBody> {
  const own = addressBytes(issuer.address)
  return fc
    .tuple(address, fc.nat(16), standing, fc.oneof(few, any), fc.boolean())
    .filter(([subject]) => hex(subject) !== hex(own))
    .map(([subject, depth, times, seq, over]) => {
      return { v: 1, issuer: own, subject, depth, ...times, seq, ...(over ? { revoked: true as const } : {}) }
    })
}
