import { describe, expect, it } from 'vitest'
import { limitClaimants, type RankedClaimant } from '../../../src/placement/limit-claimants.ts'

const claimant = (peer: string, distance: number, since: number): RankedClaimant => ({
  ...{ peer, since },
  distance: Uint8Array.of(distance >> 8, distance & 255),
})
const peersOf = (claimants: readonly RankedClaimant[]) => claimants.map(({ peer }) => peer)

/** Honest ones are far and came one after the other; the flood came after them, nearer than all. */
const honest = Array.from({ length: 60 }, (_, at) => claimant(`honest ${at}`, 10_000 + at, at))
const flood = Array.from({ length: 500 }, (_, at) => claimant(`ground ${at}`, at, 1000))

describe('the claimants that a node keeps', () => {
  it('are all of them where there are not too many, the nearest first', () => {
    expect(peersOf(limitClaimants([...honest, ...flood.slice(0, 4)], 64, new Set()))).toEqual(
      peersOf([...flood.slice(0, 4), ...honest]),
    )
  })

  it('are half the oldest and half the nearest in a flood of ids ground near the service', () => {
    const kept = peersOf(limitClaimants([...flood, ...honest], 64, new Set()))
    expect(kept).toEqual(peersOf([...flood.slice(0, 32), ...honest.slice(0, 32)]))
  })

  it('are those in use, before that', () => {
    const inUse = peersOf([...honest.slice(-10), ...flood.slice(-4)])
    const kept = peersOf(limitClaimants([...flood, ...honest], 64, new Set(inUse)))
    expect(kept).toHaveLength(64)
    expect(kept).toEqual(expect.arrayContaining(inUse))
    expect(kept.filter((peer) => peer.startsWith('honest'))).toHaveLength(10 + 25)
  })

  it('are no more than there is place for, whatever is in use', () => {
    expect(limitClaimants(flood, 64, new Set(peersOf(flood)))).toHaveLength(64)
  })
})
