import { aggregatePublicKeys, aggregateSignatures, PublicKey, Signature } from '@chainsafe/blst'
import { equals } from 'uint8arrays'
import { type Address, addressBytes, addressKey, formatAddress } from './address.ts'
import { compareBytes } from './encoding.ts'
import { MembersError, ProtocolError, SignatureError } from './errors.ts'
import { MAX_MEMBERS } from './limits.ts'
import { type KeyCache, type Signer, signFor, verifySignature } from './signature.ts'

/** One member of a multisig hub, and the proof that it holds the key's secret. */
export type Member = { readonly address: Address; readonly proof: Uint8Array }

/** The members of a hub whose proofs hold, each once, sorted by raw key, and how many of them must sign. */
export interface HubMembers {
  readonly hub: Address
  readonly members: readonly Address[]
  readonly threshold: number
  /** The key under which exactly these members sign; throws a MembersError where they do not suffice. */
  keyOf(signers: Uint8Array): Address
}

/** A member's signature of its own address. Without it a key could be made that cancels the others out. */
export function provePossession(member: Signer, network: string): Uint8Array {
  return signFor(member, network, 'possession', addressBytes(member.address))
}

/** The hub of these members: the sum of their keys, each once. Their proofs are not checked here. */
export function hubOf(members: readonly Address[]): Address {
  const distinct = new Map(members.map((address) => [addressKey(address), address]))
  return { type: 'bls12-381', key: sumOf([...distinct.values()].map(({ key }) => PublicKey.fromBytes(key))) }
}

/**
 * Checks what the operator pins for a hub: each key with its proof, all of them together the hub's key. A key that
 * is named twice counts once.
 */
export function pinMembers(
  pinned: { hub: Address; members: readonly Member[]; threshold: number },
  network: string,
  keys: KeyCache,
): HubMembers {
  const { hub, threshold } = pinned
  if (hub.type !== 'bls12-381') throw new ProtocolError('hub', 'must be a BLS12-381 address to have members')
  if (pinned.members.length > MAX_MEMBERS) throw new ProtocolError('members', `has more than ${MAX_MEMBERS} entries`)
  for (const [index, { address, proof }] of pinned.members.entries()) {
    checkProof(address, proof, `members[${index}]`, network, keys)
  }
  const distinct = new Map(pinned.members.map(({ address }) => [addressKey(address), address]))
  const members = [...distinct.values()].toSorted((a, b) => compareBytes(a.key, b.key))
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > members.length) {
    throw new ProtocolError('threshold', `must be a whole number from 1 to ${members.length}, the members' number`)
  }
  const points = members.map(({ key }) => PublicKey.fromBytes(key))
  if (!equals(sumOf(points), hub.key)) {
    throw new ProtocolError('members', `are not the members of ${formatAddress(hub)}: their keys sum to another one`)
  }
  return {
    hub,
    members,
    threshold,
    keyOf(signers) {
      const active = points.filter((_, index) => isSet(signers, index))
      checkSigners(signers, active.length, { members: members.length, threshold })
      return { type: 'bls12-381', key: sumOf(active) }
    },
  }
}

/** Joins the members' signatures of the same bytes: the one signature, and the members that signed (undefined = all). */
export function combineSignatures(
  pinned: HubMembers,
  parts: readonly { member: Address; sig: Uint8Array }[],
  signed: { network: string; kind: string; bytes: Uint8Array },
  keys: KeyCache,
): { sig: Uint8Array; signers?: Uint8Array } {
  const signers = new Uint8Array(Math.ceil(pinned.members.length / 8))
  const taken: Signature[] = []
  for (const [index, { member, sig }] of parts.entries()) {
    const at = pinned.members.findIndex((one) => addressKey(one) === addressKey(member))
    if (at < 0) throw new MembersError(`parts[${index}]`, `${formatAddress(member)} is no member of the hub`)
    verifySignature(keys, { ...signed, who: 'member', address: member, signature: sig })
    if (isSet(signers, at)) continue
    signers[at >> 3] = (signers[at >> 3] ?? 0) | (1 << (at & 7))
    taken.push(Signature.fromBytes(sig))
  }
  if (taken.length < pinned.threshold) throw new MembersError('parts', fewer(taken.length, pinned.threshold))
  const sig = aggregateSignatures(taken).toBytes()
  return taken.length === pinned.members.length ? { sig } : { sig, signers }
}

function checkProof(address: Address, proof: Uint8Array, field: string, network: string, keys: KeyCache): void {
  if (address.type !== 'bls12-381') throw new ProtocolError(field, 'must be a BLS12-381 address')
  const outcome = {
    network,
    kind: 'possession',
    who: 'member',
    address,
    bytes: addressBytes(address),
    signature: proof,
  }
  try {
    verifySignature(keys, outcome)
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause
    throw new SignatureError(`${field}.proof`, `does not prove who holds ${formatAddress(address)}`, { cause })
  }
}

/** The bitmap has one spelling: its length, no bit beyond the members, and none at all where everybody signed. */
function checkSigners(
  signers: Uint8Array,
  active: number,
  { members, threshold }: Record<'members' | 'threshold', number>,
) {
  if (signers.byteLength !== Math.ceil(members / 8) || countBits(signers) !== active) {
    throw new MembersError('signers', `is no bitmap of ${members} members`)
  }
  if (active < threshold) throw new MembersError('signers', fewer(active, threshold))
  if (active === members) throw new MembersError('signers', 'is left out where all members signed')
}

function fewer(active: number, threshold: number): string {
  return `${active} of the members signed, ${threshold} must`
}

/** Least significant bit first. */
function isSet(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
}

function countBits(bitmap: Uint8Array): number {
  let count = 0
  for (let index = 0; index < bitmap.byteLength * 8; index++) if (isSet(bitmap, index)) count++
  return count
}

function sumOf(points: PublicKey[]): Uint8Array {
  return aggregatePublicKeys(points).toBytes()
}
