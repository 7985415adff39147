import { bls12_381 } from '@noble/curves/bls12-381.js'
import { type Address, addressBytes } from '../../protocols/address.ts'
import { encodeCanonical } from '../../protocols/encoding.ts'
import { provePossession } from '../../protocols/multisig.ts'
import { blsSigner, type Signer, signFor } from '../../protocols/signature.ts'
import {
  blsSecretOf,
  blsSignerOf,
  type Draft,
  hex,
  type Json,
  NETWORK,
  refuses,
  signerOf,
  type VectorFile,
} from './kit/kit.ts'
import {
  bitmapOf,
  MEMBERS,
  member,
  open,
  pinned,
  proven,
  ROOT,
  safe,
  sumOfKeys,
  sumOfSignatures,
} from './kit/statement-kit.ts'
import { infinity } from './weird-keys.ts'

const KIND = 'attestation'
const BODY = encodeCanonical({ ...safe, hub: addressBytes(ROOT) })
const [one, two, three, four] = MEMBERS as [Signer, Signer, Signer, Signer]
const { Point } = bls12_381.G1

export function members(): VectorFile {
  return {
    about: 'A BLS hub of four members: what is pinned for it, who signed, and what was forged.',
    cases: [...pinning(), ...signing(), ...forging(), ...combining()],
  }
}

function pinning(): Draft[] {
  const good = proven(MEMBERS)
  const proofs = MEMBERS.map((signer) => provePossession(signer, NETWORK))
  const swapped = [member(one.address, proofs[1] as Uint8Array), ...good.slice(1)]
  const asAttestation = [member(one.address, signFor(one, NETWORK, KIND, addressBytes(one.address))), ...good.slice(1)]
  return [
    pin('four members', pinned()),
    pin('in another order', pinned(good.toReversed())),
    pin('one member named twice counts once', pinned([...good, good[0] as Json], 4)),
    {
      ...pin('a threshold that only two spellings of one key reach', pinned([...good, good[0] as Json], 5)),
      ...refuses('shape', 'threshold', 'members'),
    },
    { ...pin('threshold 0', pinned(good, 0)), ...refuses('shape', 'threshold', 'members') },
    { ...pin('one member is missing', pinned(good.slice(1))), ...refuses('shape', 'members', 'members') },
    { ...pin('no members', pinned([])), ...refuses('shape', 'threshold', 'members') },
    {
      ...pin('of another hub', pinned(good, 3, blsSignerOf('hub').address)),
      ...refuses('shape', 'members', 'members'),
    },
    { ...pin('an ed25519 hub', pinned(good, 3, signerOf('hub').address)), ...refuses('shape', 'hub', 'members') },
    { ...pin('an ed25519 member', pinned(proven([signerOf('hub')]), 1)), ...refuses('shape', 'members[0]', 'members') },
    { ...pin('257 members', pinned(Array(257).fill(good[0]))), ...refuses('shape', 'members', 'members') },
    { ...pin('no proof', pinned([member(one.address, new Uint8Array()), ...good.slice(1)])), ...badProof(0) },
    { ...pin('the proof of another member', pinned(swapped)), ...badProof(0) },
    { ...pin('proofs of another network', pinned(proven(MEMBERS, 'vectors-2'))), ...badProof(0) },
    { ...pin('a signature of another kind as proof', pinned(asAttestation)), ...badProof(0) },
  ]
}

function signing(): Draft[] {
  const some = [one, two, four]
  const all = sumOfSignatures(MEMBERS, KIND, BODY)
  const by = (signers: Signer[], bitmap = bitmapOf(signers)) => sign(sumOfSignatures(signers, KIND, BODY), bitmap)
  const tooLong = Uint8Array.of(...bitmapOf(some), 0)
  const beyond = bitmapOf(some).map((byte) => byte | 0x10)
  return [
    open('all members, nothing pinned', sign(all)),
    open('all members, pinned', sign(all), { pinned: pinned() }),
    open('three of four', by(some), { pinned: pinned() }),
    open('three others of four', by([two, three, four]), { pinned: pinned() }),
    { ...open('three of four, nothing pinned', by(some)), ...refuses('members', 'signers') },
    {
      ...open('three of four, for another hub than theirs', ofOther(some), { pinned: pinned() }),
      ...refuses('members', 'signers'),
    },
    { ...open('two of four', by([one, two]), { pinned: pinned() }), ...refuses('members', 'signers') },
    {
      ...open('two of four, and one whose bit is set without it', by([one, two], bitmapOf(some)), {
        pinned: pinned(),
      }),
      ...refuses('signature', 'sig'),
    },
    {
      ...open('one twice, another named instead', by([one, one, two], bitmapOf(some)), { pinned: pinned() }),
      ...refuses('signature', 'sig'),
    },
    { ...open('nobody', sign(infinity(96), Uint8Array.of(0)), { pinned: pinned() }), ...refuses('members', 'signers') },
    { ...open('a bitmap of all members', by(MEMBERS), { pinned: pinned() }), ...refuses('members', 'signers') },
    { ...open('a bitmap too long', by(some, tooLong), { pinned: pinned() }), ...refuses('members', 'signers') },
    {
      ...open('a bitmap too short', by(some, new Uint8Array()), { pinned: pinned() }),
      ...refuses('members', 'signers'),
    },
    { ...open('a bit beyond the members', by(some, beyond), { pinned: pinned() }), ...refuses('members', 'signers') },
    {
      ...open('most significant bit first', by(some, bitmapOf(some).map(turned)), { pinned: pinned() }),
      ...refuses('members', 'signers'),
    },
  ]
}

/** Each would pass in an implementation that leaves one check out. */
function forging(): Draft[] {
  const forger = blsSignerOf('forger')
  const active = forger.address
  const absent = difference(ROOT, active)
  const sum = encodeCanonical({
    body: BODY,
    sig: signFor(forger, NETWORK, KIND, BODY),
    active: active.key,
    absent: absent.key,
  })
  const alone = signFor(forger, NETWORK, KIND, BODY)
  const forged = [...proven([forger]), member(absent, provePossession(forger, NETWORK))]
  const activeAlone = bitmapOf([forger], [forger, { address: absent }])
  // the three whose bits are set sum to the forger's own key
  const rogue = { address: difference(active, { type: 'bls12-381', key: sumOfKeys([one.address, two.address]) }) }
  const four = [one, two, three, rogue]
  const hub: Address = { type: 'bls12-381', key: sumOfKeys(four.map(({ address }) => address)) }
  const withRogue = [...proven([one, two, three]), member(rogue.address, provePossession(forger, NETWORK))]
  const rogueBody = encodeCanonical({ ...safe, hub: addressBytes(hub) })
  const rogueSignature = encodeCanonical({
    body: rogueBody,
    sig: signFor(forger, NETWORK, KIND, rogueBody),
    signers: bitmapOf([one, two, rogue], four),
  })
  const opposite = negative('forger')
  const cancelled = encodeCanonical({ ...safe, hub: addressBytes(one.address) })
  const trio = [one, forger, opposite]
  return [
    { ...open('forged: active and absent keys that sum to the root, carried along', sum), ...refuses('shape') },
    { ...open('forged: the active key alone, as the root', sign(alone)), ...refuses('signature', 'sig') },
    {
      ...open('forged: the active key alone, as a member', sign(alone, Uint8Array.of(1)), {
        pinned: pinned(undefined, 1),
      }),
      ...refuses('signature', 'sig'),
    },
    {
      ...open('forged: active and absent keys as members', sign(alone, activeAlone), {
        pinned: pinned(forged, 1),
      }),
      ...badProof(1),
    },
    { ...pin("rogue key: its secret is nobody's", pinned(withRogue, 3, hub)), ...badProof(3) },
    {
      ...open('rogue key: one signs for three of four', rogueSignature, { pinned: pinned(withRogue, 3, hub) }),
      ...badProof(3),
    },
    pin('two proven members that cancel each other out', pinned(proven(trio), 2, one.address)),
    {
      ...open(
        'forged: signed by two members that cancel each other out',
        encodeCanonical({ body: cancelled, sig: infinity(96), signers: bitmapOf([forger, opposite], trio) }),
        { pinned: pinned(proven(trio), 2, one.address) },
      ),
      ...refuses('signature', 'sig'),
    },
  ]
}

function combining(): Draft[] {
  const base = { op: 'members.combine', network: NETWORK, kind: KIND, body: hex(BODY), pinned: pinned() }
  const part = (signer: Signer, kind = KIND): Json => {
    return { member: hex(addressBytes(signer.address)), sig: hex(signFor(signer, NETWORK, kind, BODY)) }
  }
  return [
    { name: 'combine three', ...base, parts: [one, two, four].map((signer) => part(signer)) },
    { name: 'combine all', ...base, parts: MEMBERS.map((signer) => part(signer)) },
    { name: 'combine: one part twice', ...base, parts: [part(one), part(two), part(one), part(four)] },
    { name: 'combine: too few', ...base, parts: [part(one), part(two), part(one)], ...refuses('members', 'parts') },
    {
      name: 'combine: no member',
      ...base,
      parts: [part(one), part(blsSignerOf('forger'))],
      ...refuses('members', 'parts[1]'),
    },
    { name: 'combine: a part of another kind', ...base, parts: [part(one, 'freeze')], ...refuses('signature', 'sig') },
  ]
}

function sign(sig: Uint8Array, signers?: Uint8Array): Uint8Array {
  return encodeCanonical({ body: BODY, sig, signers })
}

/** A hub whose members these are not, in a statement that they signed. */
function ofOther(signers: Signer[]): Uint8Array {
  const body = encodeCanonical({ ...safe, hub: addressBytes(blsSignerOf('hub').address) })
  return encodeCanonical({ body, sig: sumOfSignatures(signers, KIND, body), signers: bitmapOf(signers) })
}

function pin(name: string, input: Json): Draft {
  return { name, op: 'members.pin', network: NETWORK, pinned: input }
}

function badProof(index: number): ReturnType<typeof refuses> {
  return refuses('signature', `members[${index}].proof`, 'members')
}

function difference(a: Address, b: Address): Address {
  return { type: 'bls12-381', key: Point.fromBytes(a.key).subtract(Point.fromBytes(b.key)).toBytes() }
}

/** The holder of the secret of a key's opposite. */
function negative(name: string): Signer {
  const secret = BigInt(`0x${hex(blsSecretOf(name))}`)
  const opposite = (Point.Fn.ORDER - secret).toString(16).padStart(64, '0')
  return blsSigner(Uint8Array.from(Buffer.from(opposite, 'hex')))
}

function turned(byte: number): number {
  return Number.parseInt(byte.toString(2).padStart(8, '0').split('').toReversed().join(''), 2)
}
