import { z } from 'zod'
import { formatAddress, parseAddress } from '../../../protocols/address.ts'
import { type HubMembers, hubOf, type Member, pinMembers } from '../../../protocols/multisig.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import { decodeInput } from '../../base/decode-input.ts'
import { InputError } from '../../base/errors.ts'
import { hexText } from '../keys/bls-key.ts'
import { type ReadOptions, readJson } from '../read.ts'

const hex = z.string().regex(/^0x([0-9a-f]{2})+$/i)
const memberSchema = z.strictObject({
  type: z.literal('hub-member'),
  network: z.string(),
  address: z.string(),
  proof: hex,
})
const hubSchema = z.strictObject({
  type: z.literal('hub'),
  network: z.string(),
  hub: z.string(),
  threshold: z.int(),
  members: z.record(z.string(), hex),
})

/** A hub of several members as everybody may know it: its proofs hold in its network. */
export type PublicHub = HubMembers & { readonly network: string; readonly proofs: readonly Member[] }

/** One member's public part; its proof is not checked yet. */
export type PublicMember = Member & { readonly network: string }

/** What a member gives to the person that sets up the hub. */
export function memberText({ address, proof, network }: PublicMember): string {
  const shown = { type: 'hub-member', network, address: formatAddress(address), proof: hexText(proof) }
  return `${JSON.stringify(shown, null, 2)}\n`
}

/** What is needed to combine the members' signatures. */
export function hubText({ network, hub, threshold, proofs }: PublicHub): string {
  const members = Object.fromEntries(proofs.map(({ address, proof }) => [formatAddress(address), hexText(proof)]))
  return `${JSON.stringify({ type: 'hub', network, hub: formatAddress(hub), threshold, members }, null, 2)}\n`
}

/** Makes a hub of members who made their keys apart; checks each proof. Throws an InputError. */
export function joinMembers(members: readonly Member[], threshold: number, network: string, keys: KeyCache): PublicHub {
  const other = members.find(({ address }) => address.type !== 'bls12-381')
  if (other !== undefined) throw new InputError(`${formatAddress(other.address)} is no BLS12-381 address`)
  return decodeInput(
    () => {
      const hub = hubOf(members.map(({ address }) => address))
      return { ...pinMembers({ hub, members, threshold }, network, keys), network, proofs: members }
    },
    ({ message }) => `the hub: ${message}`,
  )
}

/** Reads the public file of a hub, and checks that its members are its members. */
export async function loadHubFile(
  path: string,
  file: string,
  keys: KeyCache,
  options: ReadOptions = {},
): Promise<PublicHub> {
  const value = await readJson(path, file, 'it is made by `hub keygen --bls --members` or `hub members`', options)
  refuseSecret(value, file)
  const read = hubSchema.safeParse(value)
  if (!read.success) {
    throw new InputError(
      `${file} is no public hub file; name what \`hub keygen --bls --members\` or \`hub members\` wrote`,
    )
  }
  const { network, hub, threshold } = read.data
  return inFile(file, () => {
    const proofs = Object.entries(read.data.members).map(([address, proof]) => member(address, proof))
    const pinned = pinMembers({ hub: parseAddress(hub, 'hub'), members: proofs, threshold }, network, keys)
    return { ...pinned, network, proofs }
  })
}

/** Reads the public part of one member. */
export async function loadMemberFile(path: string, file: string, options: ReadOptions = {}): Promise<PublicMember> {
  const value = await readJson(path, file, 'it is written by `hub keygen --bls` beside the key', options)
  refuseSecret(value, file)
  const read = memberSchema.safeParse(value)
  if (!read.success) {
    throw new InputError(`${file} is no member's public part; name what \`hub keygen --bls\` wrote beside the key`)
  }
  const { network, address, proof } = read.data
  return inFile(file, () => ({ ...member(address, proof), network }))
}

function member(address: string, proof: string): Member {
  return { address: parseAddress(address, 'members'), proof: Buffer.from(proof.slice(2), 'hex') }
}

/** A shared secret is no longer secret: refuse it with that reason. */
function refuseSecret(value: unknown, file: string): void {
  if (typeof value === 'object' && value !== null && 'secret' in value) {
    throw new InputError(`${file} holds a secret key; name the public file that was written beside it`)
  }
}

function inFile<T>(file: string, read: () => T): T {
  return decodeInput(read, ({ message }) => `${file}: ${message}`)
}
