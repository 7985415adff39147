import { type AccessRight, accessFor, decodeAccess, signAccess } from '../../protocols/access.ts'
import { type Address, decodeAddress, formatAddress, sameAddress } from '../../protocols/address.ts'
import type { CID } from '../../protocols/encoding.ts'
import { type Clock, nowSeconds } from '../base/clock.ts'
import { InputError, messageOf } from '../base/errors.ts'
import type { LightPeerInit } from './types.ts'

const TOKEN_SECONDS = 3600

/** The token that this peer shows for a right on a service; undefined where it has none. */
export type AccessTokens = (service: CID, right: AccessRight) => Uint8Array | undefined

/** The author's own, signed when it is needed, or the one that the author gave to this peer. */
export function createAccessTokens(
  { clock }: { clock: Clock },
  { network, author, access, self }: Pick<LightPeerInit, 'network' | 'author' | 'access'> & { self: Address },
): AccessTokens {
  const given = access === undefined ? undefined : { bytes: access, ...ownAccess(access, self) }
  return (service, right) => {
    if (given?.service.equals(service) && given.rights.includes(right)) return given.bytes
    if (author === undefined) return undefined
    const issued = nowSeconds(clock)
    return signAccess(accessFor(service, self, [right], { issued, expires: issued + TOKEN_SECONDS }), network, author)
  }
}

/** A peer that shows the token of another is refused everywhere. */
function ownAccess(access: Uint8Array, self: Address) {
  const { body } = decodeToken(access)
  const subject = decodeAddress(body.subject)
  if (sameAddress(subject, self)) return body
  throw new InputError(
    `the access token is for ${formatAddress(subject)}, and this peer is ${formatAddress(self)}: give the key that it is for`,
  )
}

function decodeToken(access: Uint8Array) {
  try {
    return decodeAccess(access)
  } catch (cause) {
    throw new InputError(`the access token is damaged: ${messageOf(cause)}`, { cause })
  }
}
