import { describe, expect, test } from 'vitest'
import { addressOfPeerId, peerIdOf } from '../../../protocols/address.ts'
import { type Claim, claimDistance } from '../../../protocols/claims.ts'
import { cidOfStructure, compareBytes, parseCid, sha256 } from '../../../protocols/encoding.ts'
import { signerOf } from '../../../scripts/vectors/kit/kit.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { createOwnClaims, createPlacement } from '../../../src/placement/index.ts'
import { createVirtualTime } from './virtual-time.ts'

const SECOND = 1_000
const peerOf = (index: number) => peerIdOf(signerOf(`bound ${index}`).address)
const serviceOf = (index: number) => cidOfStructure(sha256(new TextEncoder().encode(`service ${index}`))).toString()

type Part = 'starting' | 'running' | 'standing-by' | 'bound'
type Answer = (peer: string, service: string) => Claim | undefined | Promise<never>

/** One node with so many services and neighbours. */
function nodeWith(init: {
  services: number
  neighbours: number
  part: Part
  answer: Answer
  answerMs?: number
  misbehaves?: boolean
}) {
  const time = createVirtualTime()
  const neighbours = Array.from({ length: init.neighbours }, (_, index) => peerOf(index))
  const parts = new Map(Array.from({ length: init.services }, (_, index) => [serviceOf(index), init.part]))
  const seen = {
    asked: 0,
    atOnce: 0,
    mostAtOnce: 0,
    mostToOne: 0,
    byService: new Map<string, number>(),
    won: 0,
    lost: 0,
    vacant: 0,
  }
  const toOne = new Map<string, number>()
  const claims = createOwnClaims()
  const placement = createPlacement(
    {
      clock: time.clockWith(0),
      rng: seededRng('bounds'),
      log: silentLog(),
      claims,
      mesh: {
        neighbours: () => neighbours,
        async *providers() {},
        misbehaves: () => init.misbehaves === true,
        inUse: () => new Set(),
        async ask(peer, service, { signal }) {
          seen.asked++
          seen.byService.set(service, (seen.byService.get(service) ?? 0) + 1)
          seen.mostAtOnce = Math.max(seen.mostAtOnce, ++seen.atOnce)
          toOne.set(peer, (toOne.get(peer) ?? 0) + 1)
          seen.mostToOne = Math.max(seen.mostToOne, toOne.get(peer) ?? 0)
          const over = () => {
            seen.atOnce--
            toOne.set(peer, (toOne.get(peer) ?? 1) - 1)
          }
          const said = init.answer(peer, service)
          if (said instanceof Promise) signal.addEventListener('abort', over, { once: true })
          else {
            await time.sleep(init.answerMs ?? 20)
            over()
          }
          return said
        },
      },
      services: {
        parts: () => parts,
        replicas: () => 1,
        leaving: () => undefined,
        onWon: () => void seen.won++,
        onLost: () => void seen.lost++,
        onVacant: () => void seen.vacant++,
        onServed: () => {},
      },
    },
    { self: peerOf(5_000), expectsPeers: () => false },
  )
  return { time, placement, seen, parts }
}

const never: Answer = () => new Promise<never>(() => {})

describe('what a node spends on asking', () => {
  test.each<[string, Part, Answer]>([
    ['runs that nobody else claims', 'running', () => undefined],
    ['runs, among peers that never answer', 'running', never],
    ['stand-bys of which a replica is missing', 'standing-by', () => undefined],
  ])(
    '1,000 %s, 20 neighbours: 40 requests a second',
    async (_name, part, answer) => {
      const node = nodeWith({ services: 1_000, neighbours: 20, part, answer })
      await node.time.advance(20 * SECOND)
      node.seen.asked = 0
      await node.time.advance(30 * SECOND)
      expect(node.seen.asked).toBeGreaterThan(15 * 30)
      expect(node.seen.asked).toBeLessThan(43 * 30)
      expect(node.seen.mostToOne).toBeLessThanOrEqual(8)
      expect(node.seen.mostAtOnce).toBeLessThanOrEqual(8 * 20)
      await node.placement[Symbol.asyncDispose]()
    },
    60_000,
  )

  test('1,000 runs: each has its turn', async () => {
    const node = nodeWith({ services: 1_000, neighbours: 4, part: 'running', answer: () => undefined })
    await node.time.advance(120 * SECOND)
    expect(node.seen.byService.size).toBe(1_000)
    await node.placement[Symbol.asyncDispose]()
  })

  test('a stand-by asks those that run the service alone, while they answer', async () => {
    const runner = peerOf(3)
    const running: Answer = (peer) => (peer === runner ? { state: 'running', leaving: false } : undefined)
    const node = nodeWith({ services: 1, neighbours: 30, part: 'standing-by', answer: running })
    await node.time.advance(10 * SECOND)
    node.seen.asked = 0
    await node.time.advance(100 * SECOND)
    expect(node.seen.asked).toBeLessThan(60)
    await node.placement[Symbol.asyncDispose]()
  })

  test('a service of which 1,000 peers claim a replica: 64 are asked in a round', async () => {
    const node = nodeWith({ services: 1, neighbours: 1_000, part: 'standing-by', answer: () => undefined })
    await node.time.advance(5 * SECOND)
    expect(node.seen.asked).toBeLessThanOrEqual(3 * 64)
    await node.placement[Symbol.asyncDispose]()
  })

  test('a claim does not wait for the rounds of what runs', async () => {
    const node = nodeWith({ services: 1_000, neighbours: 20, part: 'running', answer: () => undefined })
    await node.time.advance(20 * SECOND)
    const id = serviceOf(2_000)
    const size = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
    node.placement.claim(id, { executor: 'host', ...size, network: { mode: 'none' } })
    await node.time.advance(1_600)
    expect(node.seen.byService.get(id)).toBe(20)
    await node.placement[Symbol.asyncDispose]()
  })

  test('64 peers that answer slowly delay no claim beyond its round', async () => {
    const node = nodeWith({ services: 0, neighbours: 64, part: 'running', answer: () => undefined, answerMs: 1_900 })
    const size = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
    for (let index = 0; index < 8; index++)
      node.placement.claim(serviceOf(index), { executor: 'host', ...size, network: { mode: 'none' } })
    await node.time.advance(12 * SECOND)
    expect(node.seen.won).toBe(8)
    await node.placement[Symbol.asyncDispose]()
  })

  test('a neighbour that is busy, and runs everything, is waited for by 20 claims, and is not asked more than eight at once', async () => {
    const running: Claim = { state: 'running', leaving: false }
    const node = nodeWith({ services: 0, neighbours: 1, part: 'running', answer: () => running, answerMs: 1_500 })
    const size = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
    for (let index = 0; index < 20; index++)
      node.placement.claim(serviceOf(index), { executor: 'host', ...size, network: { mode: 'none' } })
    await node.time.advance(12 * SECOND)
    expect([node.seen.won, node.seen.lost, node.seen.mostToOne]).toEqual([0, 20, 8])
    await node.placement[Symbol.asyncDispose]()
  })

  test('newcomers without number, who leave at once, keep no node from asking those that run the service', async () => {
    const runner = peerOf(0)
    const answer: Answer = (peer) => (peer === runner ? { state: 'running', leaving: false } : undefined)
    const node = nodeWith({ services: 0, neighbours: 4, part: 'running', answer })
    const id = serviceOf(0)
    const size = { memoryBytes: 1, cpuMillicores: 1, diskBytes: 1, pids: 1 }
    node.placement.claim(id, { executor: 'host', ...size, network: { mode: 'none' } })
    for (let index = 100; index < 300; index++) node.placement.onPeerConnected(peerOf(index))
    await node.time.advance(10 * SECOND)
    expect(node.seen.lost).toBe(1)
    await node.placement[Symbol.asyncDispose]()
  })

  test('peers that send invalid data are not asked, and end no run', async () => {
    const answer: Answer = () => ({ state: 'done', leaving: false })
    const node = nodeWith({ services: 1, neighbours: 20, part: 'running', answer, misbehaves: true })
    await node.time.advance(30 * SECOND)
    expect([node.seen.asked, node.seen.lost]).toEqual([0, 0])
    await node.placement[Symbol.asyncDispose]()
  })
})

describe('the siblings of a run', () => {
  const running: Claim = { state: 'running', leaving: false }
  const distanceOf = (peer: string) => claimDistance(addressOfPeerId(peer), parseCid(serviceOf(0)))

  const byDistance = (a: string, b: string) => compareBytes(distanceOf(a), distanceOf(b))
  const all = Array.from({ length: 200 }, (_, index) => peerOf(index)).sort(byDistance)
  const listed = (node: ReturnType<typeof nodeWith>) => node.placement.claimants(serviceOf(0)).map(({ peer }) => peer)

  test('of 200 claimants are 64, the nearest first, and none of those that went silent ten seconds ago', async () => {
    let answer: Answer = () => running
    const node = nodeWith({ services: 1, neighbours: 200, part: 'bound', answer: (...asked) => answer(...asked) })
    await node.time.advance(60 * SECOND)
    const found = listed(node)
    expect(found).toHaveLength(64)
    expect(found).toEqual(found.toSorted(byDistance))
    expect(found).toEqual(expect.arrayContaining(all.slice(0, 32)))
    answer = never
    await node.time.advance(10 * SECOND)
    expect(node.placement.claimants(serviceOf(0))).toEqual([])
    // one that nobody places gives way to none
    expect(node.seen.lost).toBe(0)
    await node.placement[Symbol.asyncDispose]()
  })

  test('that were there before a flood of keys ground near the service are asked and listed on', async () => {
    // the farthest are honest
    const honest = all.slice(-30)
    let claiming = new Set(honest)
    const answer: Answer = (peer) => (claiming.has(peer) ? running : undefined)
    const node = nodeWith({ services: 1, neighbours: 200, part: 'bound', answer })
    await node.time.advance(900 * SECOND)
    expect(new Set(listed(node))).toEqual(claiming)
    claiming = new Set(all)
    await node.time.advance(300 * SECOND)
    const found = listed(node)
    expect(found).toHaveLength(64)
    expect(found).toEqual(expect.arrayContaining(honest))
    await node.placement[Symbol.asyncDispose]()
  })

  test.each<[string, Claim]>([
    ['that only ask whether their run is wanted', { state: 'claiming', leaving: false }],
    ['that are done', { state: 'done', leaving: false }],
  ])('are no peers %s', async (_name, claim) => {
    const node = nodeWith({ services: 1, neighbours: 3, part: 'bound', answer: () => claim })
    await node.time.advance(10 * SECOND)
    expect(node.placement.claimants(serviceOf(0))).toEqual([])
    await node.placement[Symbol.asyncDispose]()
  })

  test('are no peers any more that send invalid data', async () => {
    const init = { services: 1, neighbours: 3, part: 'bound', answer: () => running, misbehaves: false } as const
    const changing: Parameters<typeof nodeWith>[0] = { ...init }
    const node = nodeWith(changing)
    await node.time.advance(5 * SECOND)
    expect(node.placement.claimants(serviceOf(0))).toHaveLength(3)
    changing.misbehaves = true
    expect(node.placement.claimants(serviceOf(0))).toEqual([])
    await node.placement[Symbol.asyncDispose]()
  })
})
