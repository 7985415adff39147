import { addressOfPeerId } from '../../protocols/address.ts'
import { type Claim, claimDistance } from '../../protocols/claims.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { Clock } from '../base/clock.ts'
import { LruMap } from '../base/lru-map.ts'
import { ACCEPTED_MS, FORGIVEN_AFTER_MS, MAX_HEARD, MISSED_ROUNDS } from './constants.ts'
import type { CountedClaim } from './decide.ts'
import type { RankedClaimant } from './limit-claimants.ts'
import type { Claimant } from './types.ts'

type Heard = {
  readonly claim: Claim | undefined
  /** of the answer, on this node's monotonic clock */
  readonly at: number
  /** when the question was sent that it answers */
  readonly askedAt: number
  /** rounds since that it did not answer in */
  readonly missed: number
  /** how long it has claimed a run that is not healthy; a peer that goes back and forth does not begin again */
  readonly acceptedMs: number
  /** since when its claim has counted */
  readonly since: number
}

/** What other nodes answered about one service. Bounded; times are those of this node. */
export interface ClaimBook {
  /** `askedAt`: of the question. An answer to an older one than the last that was answered changes nothing. */
  answered(peer: string, claim: Claim | undefined, askedAt: number): void
  /** A round without its answer. A connection that closes is one. */
  missed(peer: string): void
  /** When it was asked what it answered last. */
  askedAt(peer: string): number | undefined
  /** The peers that answered `claiming` to a question that was sent before this moment. */
  claiming(askedBefore: number): string[]
  /** Rounds in a row without its answer. */
  silence(peer: string): number
  /** Has it a claim that counts? */
  claims(peer: string): boolean
  /** The nodes that have begun a run, or are about to, as they answered so long ago at most. */
  runners(maxAgeMs: number): (Claimant & RankedClaimant)[]
  /** Peers with a claim that counts, connected or not. */
  claimants(): RankedClaimant[]
  /** The claims that count; those that were answered at `roundAt` or later are fresh. */
  counted(roundAt: number): CountedClaim[]
  distanceOf(peer: string): Uint8Array
}

export function createClaimBook({ clock }: { clock: Clock }, { service }: { service: CID }): ClaimBook {
  const heard = new LruMap<string, Heard>(MAX_HEARD)
  const distances = new LruMap<string, Uint8Array>(MAX_HEARD)

  function distanceOf(peer: string): Uint8Array {
    const distance = distances.get(peer) ?? claimDistance(addressOfPeerId(peer), service)
    distances.set(peer, distance)
    return distance
  }

  function counts({ claim, missed, acceptedMs }: Heard): boolean {
    if (claim === undefined || missed >= MISSED_ROUNDS) return false
    return !isPending(claim) || acceptedMs <= ACCEPTED_MS
  }

  return {
    answered(peer, claim, askedAt) {
      const at = clock.monotonic()
      const before = heard.get(peer)
      if (before !== undefined && askedAt < before.askedAt) return
      const since = before !== undefined && counts(before) ? before.since : at
      heard.set(peer, { claim, at, askedAt, missed: 0, acceptedMs: acceptedMsAt(at, claim, before), since })
    },
    missed(peer) {
      const before = heard.get(peer) ?? { claim: undefined, at: 0, askedAt: 0, missed: 0, acceptedMs: 0, since: 0 }
      heard.set(peer, { ...before, missed: before.missed + 1 })
    },
    askedAt: (peer) => heard.get(peer)?.askedAt,
    claiming: (askedBefore) =>
      [...heard.entries()].flatMap(([peer, { claim, askedAt }]) =>
        claim?.state === 'claiming' && askedAt < askedBefore ? [peer] : [],
      ),
    silence: (peer) => heard.get(peer)?.missed ?? 0,
    claims(peer) {
      const known = heard.get(peer)
      return known !== undefined && counts(known)
    },
    runners: (maxAgeMs) =>
      [...heard.entries()].flatMap(([peer, known]) => {
        const { claim, at, since } = known
        if (claim?.state !== 'running' && claim?.state !== 'accepted') return []
        if (!counts(known) || clock.monotonic() - at > maxAgeMs) return []
        return [{ peer, state: claim.state, since, distance: distanceOf(peer) }]
      }),
    claimants: () =>
      [...heard.entries()].flatMap(([peer, known]) =>
        counts(known) ? [{ peer, since: known.since, distance: distanceOf(peer) }] : [],
      ),
    counted: (roundAt) =>
      [...heard.entries()].flatMap(([peer, known]) => {
        if (known.claim === undefined || !counts(known)) return []
        const fresh = known.at >= roundAt && known.missed === 0
        return [{ ...known.claim, peer, fresh, distance: distanceOf(peer) }]
      }),
    distanceOf,
  }
}

function isPending({ state }: Claim): boolean {
  return state === 'accepted' || state === 'claiming'
}

function acceptedMsAt(now: number, claim: Claim | undefined, before: Heard | undefined): number {
  if (before === undefined || (claim !== undefined && !isPending(claim))) return 0
  const passed = now - before.at
  if (before.claim === undefined) return passed > FORGIVEN_AFTER_MS ? 0 : before.acceptedMs
  return isPending(before.claim) ? before.acceptedMs + passed : 0
}
