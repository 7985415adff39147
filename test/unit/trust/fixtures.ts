import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { encodeDelegation } from '../../../protocols/delegation.ts'
import { type CID, cidOfStructure } from '../../../protocols/encoding.ts'
import { encodeFreeze } from '../../../protocols/freeze.ts'
import type { Signer } from '../../../protocols/signature.ts'
import { encodeStatement, signStatement } from '../../../protocols/statement.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'

export const NETWORK = 'vectors'
export const NOW = 1_770_000_000

export const own = signerOf('node')
export const hubs = ['hub 1', 'hub 2', 'hub 3'].map(signerOf) as [Signer, Signer, Signer]
export const stranger = signerOf('stranger')
export const author = signerOf('author')
export const CODE = cidOfStructure(new TextEncoder().encode('code'))

export const text = ({ address }: Pick<Signer, 'address'>): string => formatAddress(address)

type Times = { issued?: number; expires?: number; seq?: number }
const TIMES = { issued: NOW, expires: NOW + 86_400, seq: 0 }

function signed(body: Uint8Array, signer: Signer, network = NETWORK): Uint8Array {
  return encodeStatement(signStatement(body, network, signer))
}

export function attest(
  hub: Signer,
  verdict: 'safe' | 'unsafe' = 'safe',
  { network, ...more }: Times & { code?: CID; network?: string; severity?: 'high' } = {},
): Uint8Array {
  const body = { v: 1 as const, hub: addressBytes(hub.address), code: CODE, verdict, ...TIMES, ...more }
  return signed(encodeAttestation(body), hub, network)
}

type Freeze = Times & { chain?: string; of?: Signer }

export function freeze(hub: Signer, amount: string, { of = author, chain = 'sol', ...rest }: Freeze = {}): Uint8Array {
  const address = addressBytes(of.address)
  const body = { v: 1 as const, hub: addressBytes(hub.address), address, chain, amount, ...TIMES, ...rest }
  return signed(encodeFreeze(body), hub)
}

export function delegate(issuer: Signer, to: Signer, depth = 0, more: Times & { revoked?: true } = {}): Uint8Array {
  const ends = { issuer: addressBytes(issuer.address), subject: addressBytes(to.address) }
  return signed(encodeDelegation({ v: 1, ...ends, depth, ...TIMES, ...more }), issuer)
}

/** What is asked about: code of an author, with what is stapled to it. */
export function subject(staples: Uint8Array[] = [], by: Signer = author, code = CODE) {
  return { code, author: addressBytes(by.address), staples }
}
