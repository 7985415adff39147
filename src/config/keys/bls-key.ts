import { SecretKey } from '@chainsafe/blst'
import { formatAddress } from '../../../protocols/address.ts'
import { provePossession } from '../../../protocols/multisig.ts'
import { blsSigner, type Signer } from '../../../protocols/signature.ts'
import type { Rng } from '../../base/rng.ts'

export type NewBlsKey = {
  readonly signer: Signer
  /** bound to the network: a key without one cannot be a member of a hub there */
  readonly proof: Uint8Array
  /** the key file's JSON */
  readonly text: string
}

/** A new BLS12-381 key for one network. */
export function newBlsKey(rng: Rng, network: string): NewBlsKey {
  const secret = SecretKey.fromKeygen(rng.bytes(32)).toBytes()
  const signer = blsSigner(secret)
  const proof = provePossession(signer, network)
  const shown = {
    type: 'bls12-381',
    secret: hexText(secret),
    address: formatAddress(signer.address),
    network,
    proof: hexText(proof),
  }
  return { signer, proof, text: `${JSON.stringify(shown, null, 2)}\n` }
}

/** "0x..", lower case. */
export function hexText(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
