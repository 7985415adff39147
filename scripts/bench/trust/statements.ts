import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { addressBytes, formatAddress } from '../../../protocols/address.ts'
import { encodeAttestation } from '../../../protocols/attestation.ts'
import { type CID, cidOfBytes } from '../../../protocols/encoding.ts'
import { combineSignatures, hubOf, type Member, pinMembers, provePossession } from '../../../protocols/multisig.ts'
import { blsSigner, createKeyCache, ed25519Signer, type Signer, signFor } from '../../../protocols/signature.ts'
import { encodeStatement, parseStatementBody } from '../../../protocols/statement.ts'

export const NETWORK = 'bench'
const DAY = 86_400

/** A hub that says of any code that it is safe, in the bytes that travel. */
export type BenchHub = {
  readonly text: string
  /** below its address in TRUSTED_HUBS */
  readonly settings: object
  says(code: CID): Uint8Array
}

/** `number` names a code that does not exist. */
export function codeOf(number: number): CID {
  return cidOfBytes(Buffer.from(`code ${number}`))
}

export function ed25519Hub(): BenchHub {
  return hubBy(ed25519Signer(generateKeyPairSync('ed25519').privateKey))
}

export function blsHub(): BenchHub {
  return hubBy(blsSigner(randomScalar()))
}

/** Three of four members sign. */
export function membersHub(): BenchHub {
  const keys = createKeyCache()
  const signers = Array.from({ length: 4 }, () => blsSigner(randomScalar()))
  const address = hubOf(signers.map((signer) => signer.address))
  const members: Member[] = signers.map((signer) => ({
    address: signer.address,
    proof: provePossession(signer, NETWORK),
  }))
  const pinned = pinMembers({ hub: address, members, threshold: 3 }, NETWORK, keys)
  const proofs = members.map((member) => [
    formatAddress(member.address),
    `0x${Buffer.from(member.proof).toString('hex')}`,
  ])
  return {
    text: formatAddress(address),
    settings: { MEMBERS: Object.fromEntries(proofs) as object, THRESHOLD: 3 },
    says(code) {
      const bytes = attestation(addressBytes(address), code)
      const signed = { network: NETWORK, kind: 'attestation', bytes }
      const parts = signers.slice(0, 3).map((signer) => {
        return { member: signer.address, sig: signFor(signer, NETWORK, 'attestation', bytes) }
      })
      const { sig, signers: bitmap } = combineSignatures(pinned, parts, signed, keys)
      return encodeStatement(parseStatementBody(bytes, sig, bitmap))
    },
  }
}

function hubBy(signer: Signer): BenchHub {
  return {
    text: formatAddress(signer.address),
    settings: {},
    says(code) {
      const body = attestation(addressBytes(signer.address), code)
      return encodeStatement(parseStatementBody(body, signFor(signer, NETWORK, 'attestation', body)))
    },
  }
}

function attestation(hub: Uint8Array, code: CID): Uint8Array {
  const issued = Math.floor(Date.now() / 1000)
  return encodeAttestation({ v: 1, hub, code, verdict: 'safe', issued, expires: issued + DAY, seq: issued })
}

/** Below the group's order, and never 0. */
function randomScalar(): Uint8Array {
  const bytes = randomBytes(32)
  bytes[0] = 1
  return Uint8Array.from(bytes)
}
