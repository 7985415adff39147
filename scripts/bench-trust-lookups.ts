import { generateKeyPairSync } from 'node:crypto'
import { addressBytes } from '../protocols/address.ts'
import type { CID } from '../protocols/encoding.ts'
import { ed25519Signer } from '../protocols/signature.ts'
import { decodeStatement, recordKey } from '../protocols/statement.ts'
import { denseGraph } from '../test/fixtures/gossip-graph.ts'
import { quantile, round } from './bench-gossip-side.ts'
import { type BenchMember, believing, openMember } from './bench-trust-node.ts'
import { blsHub, codeOf, ed25519Hub, membersHub } from './bench-trust-statements.ts'

export const NODES = 30
export const HUBS = 5
const DEGREE = 8
const SEED = 'bench'
/** Codes whose records are put before anybody asks; each is asked about once. */
const PUT_AT_ONCE = 4
/** src/trust lets no decision wait longer. */
const COLD_P99_BOUND_MS = 3000
const WARM_P99_BOUND_MS = 50
const KEPT_P99_BOUND_MS = 5

export type Quantiles = { readonly p50Ms: number; readonly p99Ms: number }
export type Lookups = {
  readonly lookups: number
  /** of these, the ones after which all hubs' words were known */
  readonly complete: number
  /** nothing of the code is known, and nobody was asked about it */
  readonly cold: Quantiles
  /** asked again right after: what was looked up is not looked up again */
  readonly warm: Quantiles
  /** the mesh asked again right after, as the operator's `--look` does */
  readonly fresh: Quantiles
  /** what a decision costs where all is kept */
  readonly kept: Quantiles
}

/**
 * 30 networks in one process on loopback, five hubs (three of one ed25519 key, one BLS, one of three members out of four).
 * Their words on each code lie in the mesh's records, put by another node each; then one node asks about a code that it
 * knows nothing of.
 */
export async function measureLookups(codes: number, tell: (text: string) => void): Promise<Lookups> {
  const hubs = [ed25519Hub(), ed25519Hub(), ed25519Hub(), blsHub(), membersHub()]
  const policy = believing(hubs)
  await using stack = new AsyncDisposableStack()
  const members = await Promise.all(Array.from({ length: NODES }, () => openMember(policy)))
  for (const member of members) stack.use(member)
  const member = (number: number) => members[number % NODES] as BenchMember
  for (const [a, b] of denseGraph(NODES, DEGREE, SEED))
    await member(a).network.dial(member(b).network.multiaddrs()[0] as string)
  const began = performance.now()
  const all = Array.from({ length: codes }, (_, number) => codeOf(number))
  const puts = all.flatMap((code, number) =>
    hubs.map((hub, at) => ({ bytes: hub.says(code), by: member(number * 7 + at) })),
  )
  await Promise.all(
    Array.from({ length: PUT_AT_ONCE }, async () => {
      for (let put = puts.pop(); put !== undefined; put = puts.pop()) {
        const key = recordKey(decodeStatement(put.bytes)) as string
        await put.by.network.dht.putValue(key, put.bytes)
      }
    }),
  )
  tell(`${codes * HUBS} records put in ${round((performance.now() - began) / 1000, 1)} s`)
  const author = addressBytes(ed25519Signer(generateKeyPairSync('ed25519').privateKey).address)
  const times = { cold: [] as number[], warm: [] as number[], fresh: [] as number[], kept: [] as number[] }
  let complete = 0
  for (const [number, code] of all.entries()) {
    // of those that put its records, none is asked to look them up
    const { trust } = member(number * 7 + HUBS + (number % (NODES - HUBS)))
    const subject = { code, author }
    if (factsOf(trust, code, author).quorum !== null) throw new Error('it is known before it was looked up')
    times.cold.push(await timed(() => trust.lookUp(subject)))
    if (factsOf(trust, code, author).quorum?.met === true) complete++
    times.warm.push(await timed(() => trust.lookUp(subject)))
    times.fresh.push(await timed(() => trust.lookUp(subject, { fresh: true })))
    times.kept.push(await timed(() => factsOf(trust, code, author)))
  }
  return {
    lookups: codes,
    complete,
    cold: quantilesOf(times.cold),
    warm: quantilesOf(times.warm),
    fresh: quantilesOf(times.fresh),
    kept: quantilesOf(times.kept),
  }
}

/** Throws where a lookup found less than there was, or took longer than a decision may wait. */
export function assertLookups({ lookups, complete, cold, warm, kept }: Lookups): void {
  if (complete < lookups) throw new Error(`${lookups - complete} of ${lookups} lookups did not find what all hubs said`)
  const bounds = [
    { what: 'a cold lookup', p99Ms: cold.p99Ms, bound: COLD_P99_BOUND_MS },
    { what: 'a warm lookup', p99Ms: warm.p99Ms, bound: WARM_P99_BOUND_MS },
    { what: 'a look at what is kept', p99Ms: kept.p99Ms, bound: KEPT_P99_BOUND_MS },
  ]
  for (const { what, p99Ms, bound } of bounds) {
    if (p99Ms > bound) throw new Error(`${what} takes ${p99Ms} ms (p99); the bound is ${bound} ms`)
  }
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
