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

  it('are those in use before the nearest', () => {
    const inUse = peersOf([...honest.slice(-10), ...flood.slice(-4)])
    const kept = peersOf(limitClaimants([...flood, ...honest], 64, new Set(inUse)))
    expect(kept).toHaveLength(64)
    expect(kept).toEqual(expect.arrayContaining(inUse))
    expect(kept.filter((peer) => peer.startsWith('honest'))).toHaveLength(32 + 10)
  })

  it('are half the flood at most, however many others leave, while there are enough that claimed before it', () => {
    let others = [...honest]
    let listed: string[] = []
    const floodOf = () => listed.filter((peer) => peer.startsWith('ground')).length
    const shares: number[] = []
    // whoever is listed gets a tunnel, and the flood keeps its own
    while (others.length >= 16) {
      listed = peersOf(limitClaimants([...flood, ...others], 16, new Set(listed)))
      shares.push(floodOf())
      const leaving = listed.filter((peer) => peer.startsWith('honest')).slice(0, 4)
      others = others.filter(({ peer }) => !leaving.includes(peer))
    }
    expect(shares).toEqual(Array(12).fill(8))
  })

  it('stay where they are in use, when others leave and nearer ones come', () => {
    const listed = peersOf(limitClaimants([...honest, ...flood.slice(0, 20)], 16, new Set()))
    const left = new Set(listed.filter((peer) => peer.startsWith('honest')).slice(0, 3))
    const inUse = new Set(listed.filter((peer) => !left.has(peer)))
    const nearer = flood.map((one, at) => ({ ...one, peer: `nearer ${at}`, distance: Uint8Array.of(0, 0) }))
    const claimants = [...nearer, ...honest, ...flood].filter(({ peer }) => !left.has(peer))
    expect(peersOf(limitClaimants(claimants, 16, inUse))).toEqual(expect.arrayContaining([...inUse]))
  })

  it('are no more than there is place for, whatever is in use', () => {
    expect(limitClaimants(flood, 64, new Set(peersOf(flood)))).toHaveLength(64)
  })
})
