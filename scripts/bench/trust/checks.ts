import { createPublicKey, verify } from 'node:crypto'
import { fastAggregateVerify, PublicKey, Signature, verify as verifyBls } from '@chainsafe/blst'
import { parseAddress } from '../../../protocols/address.ts'
import type { HubMembers } from '../../../protocols/multisig.ts'
import { createKeyCache, signedBytes } from '../../../protocols/signature.ts'
import { decodeStatement, signerOf, verifyStatement } from '../../../protocols/statement.ts'
import { membersOf } from '../../../src/config/index.ts'
import { openMember, trustPolicyFor } from './node.ts'
import { type BenchHub, blsHub, codeOf, ed25519Hub, membersHub, NETWORK } from './statements.ts'

/** The two loops of one kind run in turn, in slices so short that what else the machine does hits both. */
const SLICE_MS = 50
const SLICES = 10
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

export const KINDS = ['ed25519', 'bls', 'members', 'cached'] as const
export type Kind = (typeof KINDS)[number]

/** Checks per second of one core's time, and what the library alone does with the same bytes, keys and signatures. */
export type Rates = Readonly<Record<Kind, { readonly perSecond: number; readonly raw: number; readonly ratio: number }>>

/** What has to hold on any machine, because both loops run on it in turn. */
const LEAST: Record<Kind, number> = {
  // decoding, the limits and the domain's prefix may take a third of the time of OpenSSL's verification
  ed25519: 0.6,
  bls: 0.85,
  // summing the members' keys is a part of blst's own aggregate verification too
  members: 0.85,
  // in checks of ed25519: what came before must cost a hash and a look, and no signature
  cached: 3,
}

type Loop = { readonly once: (index: number) => void; readonly count: number }

/** Statements as they arrive: decoded, within the limits, signed for this network. One round of each loop, in turn. */
export async function openChecks() {
  const hubs = { ed25519: ed25519Hub(), bls: blsHub(), members: membersHub() }
  const member = await openMember(trustPolicyFor([hubs.ed25519]))
  const take = (bytes: Uint8Array) => member.trust.take(bytes, { via: 'gossip', from: 'a peer' })
  const many = (hub: BenchHub, count: number) => Array.from({ length: count }, (_, index) => hub.says(codeOf(index)))
  const encoded = { ed25519: many(hubs.ed25519, 2000), bls: many(hubs.bls, 200), members: many(hubs.members, 200) }
  const pinned = membersOf(parseAddress(hubs.members.text), hubs.members.settings as never, NETWORK, createKeyCache())
  for (const bytes of encoded.ed25519) take(bytes)

  const checks: Record<Kind, { ours: Loop; raw: Loop }> = {
    ed25519: { ours: checking(encoded.ed25519), raw: rawEd25519(encoded.ed25519) },
    bls: { ours: checking(encoded.bls), raw: rawBls(encoded.bls) },
    members: { ours: checking(encoded.members, pinned), raw: rawMembers(encoded.members, pinned as HubMembers) },
    cached: {
      ours: {
        once(index) {
          if (take(encoded.ed25519[index] as Uint8Array) !== 'known') throw new Error('it was not known')
        },
        count: encoded.ed25519.length,
      },
      raw: checking(encoded.ed25519),
    },
  }
  return {
    round(): Rates {
      const rates = KINDS.map((kind) => {
        const { ours, raw } = checks[kind]
        const spent = { ours: { done: 0, seconds: 0 }, raw: { done: 0, seconds: 0 } }
        for (let slice = 0; slice < SLICES; slice++) {
          spend(ours, spent.ours)
          spend(raw, spent.raw)
        }
        const [perSecond, base] = [spent.ours, spent.raw].map(({ done, seconds }) => Math.round(done / seconds)) as [
          number,
          number,
        ]
        return [kind, { perSecond, raw: base, ratio: Number((perSecond / base).toFixed(3)) }] as const
      })
      return Object.fromEntries(rates) as Rates
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
  }
}

/** Throws where a ratio is below what has to hold. */
export function assertRates(rates: Rates): void {
  for (const kind of KINDS) {
    const { ratio } = rates[kind]
    if (ratio < LEAST[kind]) throw new Error(`${kind}: the ratio is ${ratio}; it must be ${LEAST[kind]} at least`)
  }
}

function checking(encoded: readonly Uint8Array[], pinned?: HubMembers): Loop {
  const keys = createKeyCache()
  const once = (index: number) => {
    verifyStatement(decodeStatement(encoded[index] as Uint8Array), NETWORK, keys, pinned)
  }
  return { once, count: encoded.length }
}

/** What is left where nothing but the signature is checked, with keys and signed bytes in memory. */
function prepared(encoded: readonly Uint8Array[]) {
  return encoded.map((bytes) => {
    const statement = decodeStatement(bytes)
    const signed = Buffer.from(signedBytes(NETWORK, statement.kind, statement.bytes))
    return { key: signerOf(statement).key, signed, sig: statement.sig, signers: statement.signers ?? new Uint8Array() }
  })
}

function rawEd25519(encoded: readonly Uint8Array[]): Loop {
  const all = prepared(encoded)
  const spki = Buffer.concat([SPKI_HEADER, all[0]?.key ?? new Uint8Array()])
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return loopOver(all, ({ signed, sig }) => verify(null, signed, key, sig))
}

function rawBls(encoded: readonly Uint8Array[]): Loop {
  const all = prepared(encoded)
  const key = PublicKey.fromBytes(all[0]?.key ?? new Uint8Array(), true)
  return loopOver(all, ({ signed, sig }) => verifyBls(signed, key, Signature.fromBytes(sig, true)))
}

function rawMembers(encoded: readonly Uint8Array[], { members }: HubMembers): Loop {
  const points = members.map(({ key }) => PublicKey.fromBytes(key, true))
  return loopOver(prepared(encoded), ({ signed, sig, signers }) => {
    const active = points.filter((_, index) => (((signers[0] ?? 0) >> index) & 1) === 1)
    return active.length === 3 && fastAggregateVerify(signed, active, Signature.fromBytes(sig, true))
  })
}

function loopOver<T>(all: readonly T[], holds: (one: T) => boolean): Loop {
  const once = (index: number) => {
    if (!holds(all[index] as T)) throw new Error('a signature does not hold')
  }
  return { once, count: all.length }
}

/** By the processor's time and not the clock's: a busy machine makes neither loop slower by it. */
function spend({ once, count }: Loop, spent: { done: number; seconds: number }): void {
  const until = performance.now() + SLICE_MS
  const began = process.cpuUsage()
  for (; performance.now() < until; spent.done++) once(spent.done % count)
  const { user, system } = process.cpuUsage(began)
  spent.seconds += (user + system) / 1e6
}
