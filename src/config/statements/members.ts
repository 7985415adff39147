import { base58btc } from 'multiformats/bases/base58'
import { z } from 'zod'
import type { Address } from '../../../protocols/address.ts'
import { ProtocolError, SignatureError } from '../../../protocols/errors.ts'
import { type HubMembers, pinMembers } from '../../../protocols/multisig.ts'
import { createKeyCache, type KeyCache } from '../../../protocols/signature.ts'
import { addressOf } from '../files/known-addresses.ts'
import { valueText } from '../settings-error.ts'

/** A BLS12-381 signature, in G2. */
const PROOF_BYTES = 96
const PROOF = `a proof of possession: a signature of ${PROOF_BYTES} bytes, as base58 or 0x and ${2 * PROOF_BYTES} hex digits`

type HubSettings = {
  readonly MEMBERS?: Readonly<Record<string, string>> | undefined
  readonly THRESHOLD?: number | undefined
}
type Hubs = { readonly TRUSTED_HUBS: Readonly<Record<string, HubSettings>> }

/** Comes out as lower-case 0x hex. Whether it holds depends on the network: `memberErrors`. */
export function proofOfPossession() {
  return z.string(PROOF).transform((text, context) => {
    const proof = readProof(text)
    if (proof !== undefined) return `0x${Buffer.from(proof).toString('hex')}`
    context.addIssue({ code: 'custom', message: PROOF })
    return z.NEVER
  })
}

/** What the operator pins for a hub; undefined where nothing. Throws a ProtocolError where it does not hold. */
export function membersOf(
  hub: Address,
  { MEMBERS, THRESHOLD }: HubSettings,
  network: string,
  keys: KeyCache,
): HubMembers | undefined {
  if (MEMBERS === undefined || THRESHOLD === undefined) return undefined
  const members = Object.entries(MEMBERS).map(([text, proof]) => {
    return { address: addressOf(text), proof: readProof(proof) ?? new Uint8Array() }
  })
  return pinMembers({ hub, members, threshold: THRESHOLD }, network, keys)
}

/** Where the members of a hub are not what they are said to be: the path, and what is wrong there. */
export function memberErrors({ TRUSTED_HUBS }: Hubs, network: string): { path: string[]; problem: string } | undefined {
  const keys = createKeyCache()
  for (const [hub, settings] of Object.entries(TRUSTED_HUBS)) {
    // reading an address takes up to a millisecond
    if (settings.MEMBERS === undefined) continue
    try {
      membersOf(addressOf(hub), settings, network, keys)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      const path = ['TRUSTED_HUBS', hub, 'MEMBERS']
      if (!(error instanceof SignatureError)) return { path, problem: error.message.replace(/^members: /, '') }
      const member = Object.keys(settings.MEMBERS ?? {})[Number(/\[(\d+)\]/.exec(error.field)?.[1])]
      const problem = `has a proof that does not hold: it must be this member's own signature of its address, made for network ${valueText(network)}`
      return { path: member === undefined ? path : [...path, member], problem }
    }
  }
  return undefined
}

/** Members are keys that can be summed, and so is the hub that they are. */
export function wrongKeys({ TRUSTED_HUBS }: Hubs): { path: string[]; problem: string }[] {
  return Object.entries(TRUSTED_HUBS).flatMap(([hub, { MEMBERS }]) => {
    if (MEMBERS === undefined) return []
    if (addressOf(hub).type !== 'bls12-381') {
      return [{ path: [hub, 'MEMBERS'], problem: 'does not fit an ed25519 address; only a BLS12-381 hub has members' }]
    }
    return Object.keys(MEMBERS)
      .filter((member) => addressOf(member).type !== 'bls12-381')
      .map((member) => {
        return {
          path: [hub, 'MEMBERS', member],
          problem: 'is an ed25519 address; members of a hub have BLS12-381 keys',
        }
      })
  })
}

function readProof(text: string): Uint8Array | undefined {
  // base58 takes quadratic time: 96 bytes have at most 132 characters
  if (text.length > 2 + 2 * PROOF_BYTES) return undefined
  if (/^0x[0-9a-fA-F]*$/.test(text)) return sized(Uint8Array.from(Buffer.from(text.slice(2), 'hex')))
  try {
    return sized(base58btc.baseDecode(text))
  } catch {
    return undefined
  }
}

function sized(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.byteLength === PROOF_BYTES ? bytes : undefined
}
