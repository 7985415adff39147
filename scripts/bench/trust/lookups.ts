import { generateKeyPairSync } from 'node:crypto'
import { addressBytes } from '../../../protocols/address.ts'
import type { CID } from '../../../protocols/encoding.ts'
import { ed25519Signer } from '../../../protocols/signature.ts'
import { decodeStatement, recordKey } from '../../../protocols/statement.ts'
import { denseGraph } from '../../../test/fixtures/mesh/gossip-graph.ts'
import { quantile, round } from '../gossip/implementation.ts'
import { type BenchMember, openMember, trustPolicyFor } from './node.ts'
import { blsHub, codeOf, ed25519Hub, membersHub } from './statements.ts'

export const NODES = 30
export const HUBS = 5
const DEGREE = 8
const SEED = 'bench'
/** Records that are on their way at once. */
const PUT_AT_ONCE = 4
/** The mesh's answer is asked for again, and by the DHT alone, after every so many lookups. */
const EVERY = 4
/**
 * What has to hold on any machine, busy or not. A lookup may cost little more than the bare questions to the DHT that it
 * consists of (the hubs' records, and the one by which the node itself might vouch for the author); what was asked just
 * now must not be asked again; what is kept must cost nothing that is felt.
 */
const MOST_OF_BARE = 2
const MOST_WARM_MS = 5
const MOST_KEPT_MS = 1

export type Quantiles = { readonly p50Ms: number; readonly p99Ms: number }
export type Lookups = {
  readonly lookups: number
  /** of these, the ones that found all hubs' attestations */
  readonly complete: number
  /** nothing of the code is known, and no peer was asked about it */
  readonly cold: Quantiles
  /** asked again right after: what was looked up is not looked up again */
  readonly warm: Quantiles
  /** the mesh asked again right after, as an operator may ask it to */
  readonly fresh: Quantiles
  /** the DHT's own lookups of the same hubs' records, at once, by a third node */
  readonly bare: Quantiles
  /** cold to bare, of the medians */
  readonly ratio: number
  /** what a decision costs where all is kept */
  readonly kept: Quantiles
}

/**
 * 30 networks in one process on loopback, five hubs (three of one ed25519 key, one BLS, one of three members out of four).
 * Their attestations on each code are in the mesh's records, put by another node each; then one node asks about a code that it
 * knows nothing of.
 */
export async function measureLookups(codes: number, onProgress: (text: string) => void): Promise<Lookups> {
  const hubs = [ed25519Hub(), ed25519Hub(), ed25519Hub(), blsHub(), membersHub()]
  const policy = trustPolicyFor(hubs)
  await using stack = new AsyncDisposableStack()
  const members = await Promise.all(Array.from({ length: NODES }, () => openMember(policy)))
  for (const member of members) stack.use(member)
  const member = (number: number) => members[number % NODES] as BenchMember
  for (const [a, b] of denseGraph(NODES, DEGREE, SEED))
    await member(a).network.dial(member(b).network.multiaddrs()[0] as string)
  const began = performance.now()
  const all = Array.from({ length: codes }, (_, number) => codeOf(number))
  const keysByCode = new Map<CID, string[]>()
  const keysOf = (code: CID) => keysByCode.get(code) ?? []
  const puts = all.flatMap((code, number) => {
    return hubs.map((hub, at) => {
      const bytes = hub.says(code)
      const key = recordKey(decodeStatement(bytes)) as string
      keysByCode.set(code, [...keysOf(code), key])
      return { key, bytes, by: member(number * 7 + at) }
    })
  })
  await Promise.all(
    Array.from({ length: PUT_AT_ONCE }, async () => {
      for (let put = puts.pop(); put !== undefined; put = puts.pop())
        await put.by.network.dht.putValue(put.key, put.bytes)
    }),
  )
  onProgress(`${codes * HUBS} records put in ${round((performance.now() - began) / 1000, 1)} s`)
  const author = addressBytes(ed25519Signer(generateKeyPairSync('ed25519').privateKey).address)
  const times: Record<'cold' | 'warm' | 'fresh' | 'bare' | 'kept', number[]> = {
    cold: [],
    warm: [],
    fresh: [],
    bare: [],
    kept: [],
  }
  let complete = 0
  for (const [number, code] of all.entries()) {
    // of those that put its records, none is asked to look them up
    const { trust } = member(number * 7 + HUBS + (number % (NODES - HUBS)))
    const subject = { code, author }
    if (factsOf(trust, code, author).quorum !== null) throw new Error('it is known before it was looked up')
    times.cold.push(await timed(() => trust.lookUp(subject)))
    if (factsOf(trust, code, author).quorum?.met === true) complete++
    times.warm.push(await timed(() => trust.lookUp(subject)))
    if (number % EVERY === 0) {
      times.fresh.push(await timed(() => trust.lookUp(subject, { fresh: true })))
      const { dht } = member(number * 7 + HUBS + 1 + (number % (NODES - HUBS - 1))).network
      times.bare.push(await timed(() => Promise.all(keysOf(code).map((key) => count(dht.findValues(key))))))
    }
    times.kept.push(await timed(() => factsOf(trust, code, author)))
  }
  const [cold, bare] = [quantilesOf(times.cold), quantilesOf(times.bare)]
  return {
    lookups: codes,
    complete,
    cold,
    warm: quantilesOf(times.warm),
    fresh: quantilesOf(times.fresh),
    bare,
    ratio: round(cold.p50Ms / bare.p50Ms, 2),
    kept: quantilesOf(times.kept),
  }
}

/** Throws where a lookup found less than there was, or cost more than it may. */
export function assertLookups({ lookups, complete, ratio, warm, kept }: Lookups): void {
  if (complete < lookups) throw new Error(`${lookups - complete} of ${lookups} lookups did not find what all hubs said`)
  if (ratio > MOST_OF_BARE) throw new Error(`a cold lookup takes ${ratio} times the DHT's own; at most ${MOST_OF_BARE}`)
  const medians = [
    { what: 'a lookup asked for again', ms: warm.p50Ms, most: MOST_WARM_MS },
    { what: 'a look at what is kept', ms: kept.p50Ms, most: MOST_KEPT_MS },
  ]
  for (const { what, ms, most } of medians) {
    if (ms > most) throw new Error(`${what} takes ${ms} ms (p50); it may take ${most} ms`)
  }
}

async function count(values: AsyncIterable<unknown>): Promise<void> {
  let found = 0
  for await (const _ of values) found++
  if (found === 0) throw new Error('a record is not there')
}

function factsOf(trust: BenchMember['trust'], code: CID, author: Uint8Array) {
  return trust.factsOf({ code, author, staples: [] })
}

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function quantilesOf(values: readonly number[]): Quantiles {
  return { p50Ms: round(quantile(values, 0.5)), p99Ms: round(quantile(values, 0.99)) }
}
